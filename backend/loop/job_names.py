"""What the steps of the loop are called as jobs: rooms below ask for them by name."""

APPLY_EVENTS = "labeling.apply_events"


SYNC = "labeling.sync"


PUSH = "labeling.push"


RETRAIN = "training.retrain"


NEXT_BATCH = "training.next_batch"


REVIEW = "review.refresh"


ASK = "review.ask"


REFRESH_VERDICTS = "scoring.refresh_verdicts"


DRAW_MAP = "explorer.draw_map"
