"""Jobs by the names that people read."""

from backend.words import N_

JOB_NAMES = {
    "labeling.apply_events": N_("Take in webhook events"),
    "labeling.push": N_("Push tasks"),
    "labeling.sync": N_("Sync annotations"),
    "review.refresh": N_("Bring review cases up to date"),
    "review.ask": N_("Ask for more answers"),
    "agreement.measure": N_("Measure agreement"),
    "guidelines.show": N_("Show the guideline in Label Studio"),
    "ingestion.import": N_("Import records"),
    "records.index": N_("Index records"),
    "exchange.import_labels": N_("Import labels"),
    "notices.deliver": N_("Deliver notices"),
    "removal.clean_up": N_("Delete what belonged to something deleted"),
    "removal.strip_field": N_("Take a removed field out of the records"),
    "training.change_encoder": N_("Try another encoder"),
    "training.fine_tune": N_("Fine-tune the encoder"),
    "training.purge_files": N_("Delete old files"),
    "training.retrain": N_("Retrain"),
    "training.next_batch": N_("Choose the next batch"),
    "training.accept": N_("Accept records by machine"),
    "scoring.refresh_verdicts": N_("Judge every record"),
    "explorer.draw_map": N_("Draw the map of records"),
    "training.assess_labels": N_("Judge the labels"),
    "training.measure_versions": N_("Measure the model versions"),
}
