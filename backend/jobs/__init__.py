"""Durable background work: an outbox of job rows, an engine that runs them, schedules.

::

    queue.enqueue(session, ...)      any process: a Job row in the caller's transaction
        ▼
    engine.Engine                    worker: hands rows to DBOS, DBOS runs ``run_job``
        ▼
    execution.execute(...)           claims the row, runs the handler, yields an Outcome
        ▼
    execution.record(...)            the Outcome becomes the row's status

Rooms give their handlers to a ``Registry``; they see a ``JobContext`` and nothing else.
"""
