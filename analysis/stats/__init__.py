"""Statistics: arrays in, frozen results out; one method a module, no files and no configuration."""
