"""Tables: one function a table, result in, table specification out."""
