"""Sources: one provider a module, each turning an external series into a plain frame."""
