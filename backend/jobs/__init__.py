"""Durable background work: job rows, an engine that claims and runs them, schedules.

::

    queue.enqueue(session, ...)      any process: a Job row in the caller's transaction
        ▼                            the doorbell rings at its commit
    engine.Engine                    worker: a thread for each job there is room for
        ▼
    execution.claim(...)             the row is ours, one attempt more
        ▼
    execution.execute(...)           runs the handler, guarded, yields an Outcome
        ▼
    execution.record(...)            the Outcome becomes the row's status

Rooms give their handlers to a ``Registry``; they see a ``JobContext`` and nothing else.
"""
