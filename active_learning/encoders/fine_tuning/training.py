"""Fine-tune a transformer on labelled texts: resumable, seeded, stopped early."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from active_learning.encoders.devices import (
    computes_in_bfloat16,
    device_of,
    give_back_memory,
)
from active_learning.encoders.fine_tuning.batches import TokenBatches
from active_learning.encoders.fine_tuning.checkpoint import Checkpoint, whole_folder, write_json
from active_learning.encoders.fine_tuning.network import (
    EncoderWithHeads,
    loss_of,
    with_low_rank_additions,
)
from active_learning.encoders.fine_tuning.options import (
    RESULT,
    FineTunedEncoder,
    FineTuningOptions,
)
from active_learning.encoders.fine_tuning.preparation import (
    check_input,
    fingerprint_of,
    load_transformer,
    split,
)
from active_learning.exceptions import DeviceMemoryFull, EncoderUnavailable
from active_learning.types import Marks, Progress, Reason, ShouldStop, check_stop, never, silent


@dataclass
class _State:
    """Where a fine-tuning stands after an epoch."""

    epoch: int = 0
    steps: int = 0
    best_loss: float | None = None
    best_accuracy: float | None = None
    best_epoch: int = 0


def fine_tune(
    texts: Sequence[str],
    grades: NDArray[np.intp],
    classes: int,
    folder: Path,
    *,
    base: str,
    issues: Marks | None = None,
    options: FineTuningOptions | None = None,
    checkpoint: Path | None = None,
    device: str = "auto",
    facts: Mapping[str, Any] | None = None,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> FineTunedEncoder:
    """``folder`` holds the fine-tuned transformer in Hugging Face format, whole or not at all.

    Every weight (or low-rank additions, merged at the end) has learnt to tell the grades, and the
    issues, apart. The weights kept are those of the last epoch that was right on most of the rows
    held out. Equal input, options and threads of a CPU give equal weights; stopped or killed,
    it goes on from the last finished epoch and ends the same.

    Args:
        texts: n texts, as the encoder will read them.
        grades: (n,) numbers below ``classes``.
        classes: how many grades there are.
        folder: is replaced.
        base: name or folder of the transformer to start from.
        issues: (n, issues) 1 yes, 0 no, -1 not answered.
        options: the defaults where None.
        checkpoint: directory for resuming; beside ``folder`` where None. Removed at the end.
        device: ``auto`` takes CUDA where there is one; bfloat16 there.
        facts: written with the result into ``fine_tuning.json``, for whoever reads it later.
        progress: called after each step.
        should_stop: asked before each step.

    Raises:
        NoLabels: there is no text, or all are of one grade.
        ShapeMismatch: arrays that do not belong together.
        EncoderUnavailable: the transformer cannot be loaded, or PEFT is missing for ``lora``.
        Cancelled: ``should_stop`` answered True; finished epochs are kept for the next call.
        DeviceUnavailable: torch does not see the device.
        DeviceMemoryFull: its memory does not suffice; finished epochs are kept.
        DiskFull: no space left.
    """
    grades = np.asarray(grades, dtype=np.intp)
    check_input(texts, grades, classes, issues)
    on = device_of(device)
    place = checkpoint or folder.with_name(f"{folder.name}.checkpoint")
    chosen = options or FineTuningOptions()
    try:
        # Not held in a variable: its memory must be free when it is given back.
        return _FineTuning(
            texts, grades, classes, base, issues, chosen, on, progress, should_stop
        ).run(folder, place, facts or {})
    except torch.OutOfMemoryError as error:
        raise DeviceMemoryFull(
            Reason(
                "The memory of {on} does not suffice to fine-tune {base}: free some and repeat "
                "(epochs are kept), choose the method lora or a smaller encoder, or the cpu.",
                on=on,
                base=base,
            )
        ) from error
    finally:
        give_back_memory(on)


class _FineTuning:
    """One fine-tuning; the steps of :func:`fine_tune` in order."""

    def __init__(
        self,
        texts: Sequence[str],
        grades: NDArray[np.intp],
        classes: int,
        base: str,
        issues: Marks | None,
        options: FineTuningOptions,
        device: torch.device,
        progress: Progress,
        should_stop: ShouldStop,
    ) -> None:
        self._options, self._device = options, device
        self._is_half = device.type == "cuda" and computes_in_bfloat16(device)
        self._progress, self._should_stop = progress, should_stop
        self._grades, self._issues, self._classes = grades, issues, classes
        self._held_out, self._rows = split(grades, options)
        self._fingerprint = fingerprint_of(texts, grades, classes, issues, base, options)
        encoder, self._tokenizer = load_transformer(base)
        torch.manual_seed(options.seed)
        if options.method == "lora":
            try:
                encoder = with_low_rank_additions(encoder, options.lora_rank)
            except ImportError as error:
                raise EncoderUnavailable(
                    Reason(
                        "lora needs PEFT ({why}): pip install peft, or use full.",
                        why=error,
                    )
                ) from error
        width = int(encoder.config.hidden_size)
        self._network = EncoderWithHeads(
            encoder, width, classes, 0 if issues is None else issues.shape[1], options.dropout
        ).to(device)
        self._batches = TokenBatches(self._tokenizer, texts, options.max_tokens)
        per_epoch = -(-len(self._rows) // options.batch_size)
        self._total = per_epoch * options.epochs
        trained = [p for p in self._network.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(
            trained, lr=options.peak_rate, weight_decay=options.weight_decay
        )
        rising = max(1, round(options.warm_up * self._total))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer,
            lambda step: min(
                (step + 1) / rising, max(0.0, (self._total - step) / max(1, self._total - rising))
            ),
        )
        counts = np.bincount(grades[self._rows], minlength=classes)
        balanced = len(self._rows) / (max(1, (counts > 0).sum()) * np.maximum(counts, 1))
        self._class_weights = torch.tensor(balanced, dtype=torch.float32, device=device)
        self._state = _State()
        self._best: dict[str, torch.Tensor] = {}

    def run(self, folder: Path, place: Path, facts: Mapping[str, Any]) -> FineTunedEncoder:
        """From the last checkpoint, which lies in ``place``, to the end."""
        checkpoint = Checkpoint(place, self._fingerprint)
        self._resume(checkpoint)
        state, options = self._state, self._options
        while state.epoch < options.epochs and not self._is_settled():
            self._run_epoch()
            state.epoch += 1
            self._keep_if_best()
            checkpoint.write(asdict(state), self._tensors())
        if self._best:
            self._network.load_state_dict(self._best)
        result = FineTunedEncoder(
            folder,
            tuple(int(row) for row in self._held_out),
            state.best_epoch or state.epoch,
            state.steps,
            state.best_loss,
            state.best_accuracy,
        )
        self._export(folder, result, facts)
        checkpoint.clear()
        return result

    def _is_settled(self) -> bool:
        state = self._state
        return state.best_accuracy is not None and (
            state.epoch - state.best_epoch >= self._options.patience
        )

    def _run_epoch(self) -> None:
        state, options = self._state, self._options
        # A generator for each epoch, so that one that is run again sees the same order.
        rng = np.random.default_rng([options.seed, state.epoch])
        torch.manual_seed(options.seed * 1000 + state.epoch)
        self._network.train()
        for rows in self._batches.random_batches(self._rows, options.batch_size, rng):
            check_stop(self._should_stop, "fine-tuning")
            loss = self._loss(rows)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
            self._optimizer.step()
            self._schedule.step()
            state.steps += 1
            self._progress(
                min(state.steps / self._total, 1.0),
                Reason(
                    "fine-tuning: epoch {epoch} of at most {epochs}",
                    epoch=state.epoch + 1,
                    epochs=options.epochs,
                ),
            )

    def _loss(
        self,
        rows: NDArray[np.intp],
        logits: tuple[torch.Tensor, torch.Tensor | None] | None = None,
    ) -> torch.Tensor:
        grades = torch.as_tensor(self._grades[rows], device=self._device)
        issues = None
        if self._issues is not None:
            issues = torch.as_tensor(self._issues[rows], device=self._device)
        return loss_of(logits or self._logits(rows), grades, issues, self._class_weights)

    def _logits(self, rows: NDArray[np.intp]) -> tuple[torch.Tensor, torch.Tensor | None]:
        batch = {name: part.to(self._device) for name, part in self._batches.of(rows).items()}
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._is_half):
            logits: tuple[torch.Tensor, torch.Tensor | None] = self._network(batch)
        return logits

    def _keep_if_best(self) -> None:
        state = self._state
        if not len(self._held_out):
            state.best_epoch = state.epoch
            return
        self._network.eval()
        losses, right = [], 0
        with torch.inference_mode():
            for rows in self._batches.longest_first(self._held_out, 64):
                logits = self._logits(rows)
                losses.append(float(self._loss(rows, logits)) * len(rows))
                found = logits[0].argmax(1).cpu().numpy()
                right += int((found == self._grades[rows]).sum())
        # Accuracy, not loss: the loss rises with overconfidence, which calibration takes away.
        accuracy = right / len(self._held_out)
        if state.best_accuracy is None or accuracy >= state.best_accuracy:
            state.best_loss, state.best_epoch = sum(losses) / len(self._held_out), state.epoch
            state.best_accuracy = accuracy
            self._best = {
                name: tensor.detach().cpu().clone()
                for name, tensor in self._network.state_dict().items()
            }

    def _tensors(self) -> dict[str, Any]:
        return {
            "network": self._network.state_dict(),
            "best": self._best,
            "optimizer": self._optimizer.state_dict(),
            "schedule": {"last_epoch": self._schedule.last_epoch},
        }

    def _resume(self, checkpoint: Checkpoint) -> None:
        found = checkpoint.read()
        if found is None:
            return
        facts, tensors = found
        self._state = _State(**{k: v for k, v in facts.items() if k != "fingerprint"})
        self._network.load_state_dict(tensors["network"])
        self._best = tensors["best"]
        self._optimizer.load_state_dict(tensors["optimizer"])
        self._schedule.last_epoch = tensors["schedule"]["last_epoch"]

    def _export(self, folder: Path, result: FineTunedEncoder, facts: Mapping[str, Any]) -> None:
        encoder: Any = self._network.encoder
        if self._options.method == "lora":
            encoder = encoder.merge_and_unload()
        told = {**facts, **asdict(result), "folder": folder.name, "options": asdict(self._options)}
        fresh = folder.with_name(f"{folder.name}.new")
        with whole_folder(fresh):
            encoder.to("cpu").save_pretrained(fresh)
            self._tokenizer.save_pretrained(fresh)
            write_json(fresh / RESULT, told)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
