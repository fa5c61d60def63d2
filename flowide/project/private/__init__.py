"""Private copies of the project: laid for somebody who writes to the disk, and compared when they are done."""
