"""Everything that README.md and docs/ say in code is executed here; what they list is compared with the code."""
