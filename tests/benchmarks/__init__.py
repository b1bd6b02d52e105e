"""The SDK against the least that would do the same work, side by side: ``python -m tests.benchmarks``.

Every number is a ratio inside one round, and what counts is the median over the rounds, since absolute times say
more about the machine than about the SDK. ``docs/explanation/performance.md`` explains what is measured, and holds
the table of the last full run.
"""
