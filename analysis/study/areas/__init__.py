"""The areas of a study beyond the lead in the mean, one module each."""
