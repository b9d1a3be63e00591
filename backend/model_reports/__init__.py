"""How good each model version is, all on one audit sample; and a model version to take along."""
