"""Jobs by the names that people read."""

JOB_NAMES = {
    "labeling.apply_events": "Take in webhook events",
    "labeling.push": "Push tasks",
    "labeling.sync": "Sync annotations",
    "review.refresh": "Bring review cases up to date",
    "review.ask": "Ask for more answers",
    "agreement.measure": "Measure agreement",
    "guidelines.show": "Show the guideline in Label Studio",
    "ingestion.import": "Import records",
    "exchange.import_labels": "Import labels",
    "training.fine_tune": "Fine-tune the encoder",
    "training.purge_files": "Delete old files",
    "training.retrain": "Retrain",
    "training.next_batch": "Choose the next batch",
    "training.accept": "Accept records by machine",
    "training.assess_labels": "Judge the labels",
}
