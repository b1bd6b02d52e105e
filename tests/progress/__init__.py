"""Progress as people see it: drawn in their thread, in terminals, pipes and notebooks."""
