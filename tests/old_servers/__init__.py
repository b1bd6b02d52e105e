"""Servers of the captured versions, each with the behaviour that its age brings along."""
