"""Machine labels: grades that the champion gives alone, under a promise that is watched."""
