"""The pages, one file each: they draw what the services return, and do what these offer."""
