"""Publishing: values, the two renderers, the gate, versions, citations and notes."""
