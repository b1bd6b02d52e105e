"""What workflows, results and jobs look like: in notebooks, and as drawings."""
