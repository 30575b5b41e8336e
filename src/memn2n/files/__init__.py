"""Reading and writing files: lines, records, models, downloads."""
