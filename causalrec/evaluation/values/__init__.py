"""One policy's value under one name: on which rounds it is asked, and what it is held against."""
