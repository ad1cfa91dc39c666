"""Named selections of what is made for every clip, in which lane, and how."""
