"""In a real kernel of Jupyter, as a notebook drives it."""
