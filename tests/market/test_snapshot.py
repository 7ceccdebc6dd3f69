from __future__ import annotations

import json
import stat
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ConfigError, DataError, InputError, SnapshotError
from analysis.market import snapshot
from analysis.sources.base import RawSeries

ODD_FRAMES = {
    "gap in value": lambda f: f.assign(value=f["value"].where(np.arange(len(f)) != 3)),
    "infinite": lambda f: f.assign(value=f["value"].where(np.arange(len(f)) != 3, np.inf)),
    "integers": lambda f: f.assign(value=np.arange(len(f))),
    "unknown column": lambda f: f.assign(price=f["value"]),
    "no value": lambda f: f.rename(columns={"value": "open"})[["open"]],
    "not sorted": lambda f: f.iloc[::-1],
    "date twice": lambda f: f.iloc[[0, 0, 1]],
    "time of day": lambda f: f.set_axis(f.index + pd.Timedelta(hours=16), axis=0),
    "time zone": lambda f: f.tz_localize("UTC"),
    "index name": lambda f: f.rename_axis("day"),
    "no index": lambda f: f.reset_index(drop=True),
    "empty": lambda f: f.iloc[:0],
}


@pytest.fixture
def two(world: dict[str, RawSeries]) -> dict[str, RawSeries]:
    return {name: world[name] for name in ("RUT", "BTC")}


def unlock(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)


def test_what_goes_in_comes_out(frozen: snapshot.Snapshot, world: dict[str, RawSeries]) -> None:
    assert frozen.series == tuple(sorted(world))
    assert (frozen.kind, frozen.cutoff) == ("real", "2022-03-31")
    assert frozen.missing == {"IXIC": "no file"}
    for name in frozen.series:
        pd.testing.assert_frame_equal(frozen.frame(name), world[name].frame[list(frozen.frame(name))], check_freq=False)
    assert list(frozen.frame("RUT").columns) == ["value", "open", "high", "low"]
    facts = frozen.manifest["files"]["RUT"]
    assert (facts["provider"], facts["rows"], facts["first"]) == ("csvfile", len(world["RUT"].frame), "2018-06-01")


def test_id_depends_on_content_and_kind_only(two: dict[str, RawSeries], freezer) -> None:
    first = freezer(two)
    assert len(first.id) >= 8
    assert set(first.id) <= set("0123456789abcdef")
    later = {name: replace(raw, retrieved="2030-05-05T05:05:05Z", notes=("new",)) for name, raw in two.items()}
    again = freezer(dict(reversed(list(later.items()))))
    assert again.id == first.id
    assert again.manifest["files"]["RUT"]["retrieved"] == two["RUT"].retrieved  # the first one is used again
    assert freezer(two, kind="simulated").id != first.id
    changed = two["BTC"].frame.copy()
    changed.iloc[5, 0] = np.nextafter(changed.iloc[5, 0], 0.0)
    assert freezer(two | {"BTC": replace(two["BTC"], frame=changed)}).id != first.id
    assert freezer({"RUT": two["RUT"]}).id != first.id
    moved = two["BTC"].frame.set_axis(two["BTC"].frame.index + pd.Timedelta(days=1), axis=0).rename_axis("date")
    assert freezer(two | {"BTC": replace(two["BTC"], frame=moved)}).id != first.id


def test_id_does_not_depend_on_the_unit_of_the_index(two: dict[str, RawSeries], freezer) -> None:
    seconds = two["BTC"].frame.set_axis(two["BTC"].frame.index.as_unit("s"), axis=0)
    other = freezer(two | {"BTC": replace(two["BTC"], frame=seconds)})
    assert other.id == freezer(two).id
    assert seconds.index.unit == "s"


def test_a_snapshot_cannot_be_changed_through_its_object(two: dict[str, RawSeries], freezer) -> None:
    frozen = freezer(two)
    handed_out = frozen.frame("RUT")
    handed_out.iloc[0, 0] = -1.0
    frozen.manifest["files"]["RUT"]["rows"] = 0
    frozen.missing["BTC"] = "gone"
    assert frozen.frame("RUT").iloc[0, 0] > 0
    assert frozen.manifest["files"]["RUT"]["rows"] > 0
    assert frozen.missing == {}
    with pytest.raises(FrozenInstanceError):
        frozen.id = "other"


def test_freezing_does_not_touch_its_input_and_leaves_no_rest(two: dict[str, RawSeries], freezer) -> None:
    before = two["RUT"].frame.copy()
    frozen = freezer(two)
    pd.testing.assert_frame_equal(two["RUT"].frame, before)
    assert sorted(path.name for path in frozen.path.iterdir()) == ["BTC.parquet", "RUT.parquet", "manifest.json"]
    assert [path.name for path in frozen.path.parent.iterdir()] == [frozen.id]


def test_the_folder_is_read_only(two: dict[str, RawSeries], freezer) -> None:
    folder = freezer(two).path
    for path in (folder, *folder.iterdir()):
        assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH), path.name


def test_every_single_byte_is_watched(two: dict[str, RawSeries], freezer) -> None:
    folder = freezer(two).path
    unlock(folder)
    for name in ("BTC.parquet", "RUT.parquet", "manifest.json"):
        content = (folder / name).read_bytes()
        for place in (0, len(content) // 3, len(content) // 2, len(content) - 2):
            changed = bytearray(content)
            changed[place] ^= 1
            (folder / name).write_bytes(bytes(changed))
            with pytest.raises(SnapshotError, match=name):
                snapshot.load(folder)
        (folder / name).write_bytes(content)
    assert snapshot.load(folder).series == ("BTC", "RUT")


def test_missing_added_and_linked_files(two: dict[str, RawSeries], freezer) -> None:
    folder = freezer(two).path
    unlock(folder)
    (folder / "ETH.parquet").write_bytes((folder / "BTC.parquet").read_bytes())
    with pytest.raises(SnapshotError, match=r"ETH.parquet: the file was not part"):
        snapshot.load(folder)
    (folder / "BTC.parquet").unlink()
    (folder / "BTC.parquet").symlink_to(folder / "ETH.parquet")
    with pytest.raises(SnapshotError):
        snapshot.load(folder)
    (folder / "ETH.parquet").rename(folder.parent / "ETH.parquet")
    (folder / "BTC.parquet").unlink()
    (folder / "BTC.parquet").symlink_to(folder.parent / "ETH.parquet")
    with pytest.raises(SnapshotError, match=r"BTC.parquet: it is no plain file"):
        snapshot.load(folder)
    (folder / "BTC.parquet").unlink()
    with pytest.raises(SnapshotError, match=r"BTC.parquet: the file is gone"):
        snapshot.load(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(SnapshotError, match="no such snapshot"):
        snapshot.load(folder.parent, folder.name)


def test_an_edited_manifest_is_noticed_even_with_a_new_seal(two: dict[str, RawSeries], freezer) -> None:
    from analysis.market.snapshot_files import _seal

    folder = freezer(two).path
    unlock(folder)
    original = json.loads((folder / "manifest.json").read_text())
    edits = [{"kind": "simulated"}, {"id": "0" * 12}, {"cutoff": "2030-01-01"}]
    for position, edit in enumerate(edits):
        changed = original | edit
        (folder / "manifest.json").write_text(json.dumps(changed))
        with pytest.raises(SnapshotError, match="own seal"):
            snapshot.load(folder)
        changed["seal"] = _seal(changed)
        (folder / "manifest.json").write_text(json.dumps(changed))
        if position < 2:
            with pytest.raises(SnapshotError, match="id does not belong"):
                snapshot.load(folder)
    outside = original | {"files": original["files"] | {"../../BTC": original["files"]["BTC"]}}
    outside["seal"] = _seal(outside)
    (folder / "manifest.json").write_text(json.dumps(outside))
    with pytest.raises(SnapshotError, match="unsafe series"):
        snapshot.load(folder)
    bare = {"schema": 1, "files": {}}
    (folder / "manifest.json").write_text(json.dumps(bare | {"seal": _seal(bare)}))
    with pytest.raises(SnapshotError, match="keys"):
        snapshot.load(folder)


def test_a_tampered_snapshot_is_never_reused(two: dict[str, RawSeries], freezer) -> None:
    folder = freezer(two).path
    unlock(folder)
    (folder / "BTC.parquet").unlink()
    with pytest.raises(SnapshotError, match=r"BTC.parquet"):
        freezer(two)


def test_renamed_folder_is_refused(two: dict[str, RawSeries], freezer) -> None:
    folder = freezer(two).path
    folder.chmod(0o755)
    moved = folder.rename(folder.parent / ("f" * 12))
    with pytest.raises(SnapshotError, match="id does not belong"):
        snapshot.load(moved)


@pytest.mark.parametrize("bad", ["../BTC", "BTC/../../x", "btc", "", "A" * 65, "BTC.parquet", "BTC\n"])
def test_unsafe_ids_are_refused(two: dict[str, RawSeries], freezer, bad: str) -> None:
    with pytest.raises(InputError, match="cannot name a file safely"):
        freezer({bad: replace(two["BTC"], series_id=bad)})
    with pytest.raises(InputError, match="cannot name a file safely"):
        freezer(two, missing={bad: "gone"})


def test_bad_requests(two: dict[str, RawSeries], freezer) -> None:
    with pytest.raises(InputError, match="nothing to freeze"):
        freezer({})
    with pytest.raises(InputError, match="`kind`"):
        freezer(two, kind="imagined")
    with pytest.raises(InputError, match="filed under another id"):
        freezer({"ETH": two["BTC"]})
    with pytest.raises(InputError, match="both delivered and missing"):
        freezer(two, missing={"BTC": "gone"})
    with pytest.raises(ConfigError, match="no such series"):
        freezer({"NOVEL": replace(two["BTC"], series_id="NOVEL")})


@pytest.mark.parametrize("what", ODD_FRAMES)
def test_odd_frames_are_refused_and_nothing_is_left(
    two: dict[str, RawSeries], freezer, tmp_path: Path, what: str
) -> None:
    odd = replace(two["BTC"], frame=ODD_FRAMES[what](two["BTC"].frame))
    with pytest.raises(DataError, match="BTC"):
        freezer(two | {"BTC": odd})
    assert not (tmp_path / "snapshots").exists()


def test_finding_a_snapshot(two: dict[str, RawSeries], freezer, tmp_path: Path) -> None:
    root = tmp_path / "snapshots"
    with pytest.raises(SnapshotError, match="There is no snapshot here"):
        snapshot.load(root)
    first = freezer(two)
    assert snapshot.load(root).id == snapshot.load(first.path).id == snapshot.load(root, first.id).id == first.id
    second = freezer({"RUT": two["RUT"]})
    with pytest.raises(SnapshotError, match=f"several snapshots.*{min(first.id, second.id)}"):
        snapshot.load(root)
    with pytest.raises(SnapshotError, match="no such snapshot"):
        snapshot.load(root, "../" + first.id)


def test_unknown_series_gives_the_reason(frozen: snapshot.Snapshot) -> None:
    with pytest.raises(SnapshotError, match=r"Given: IXIC.*Likely cause: no file"):
        frozen.frame("IXIC")


def test_diff_counts_rows(two: dict[str, RawSeries], world: dict[str, RawSeries], freezer) -> None:
    frame = two["BTC"].frame
    changed = frame.iloc[2:].copy()
    changed.iloc[[4, 9], 0] *= 1.5
    extra = pd.DataFrame({"value": [1.0]}, index=frame.index[-1:] + pd.Timedelta(days=1))
    changed = pd.concat([changed, extra]).rename_axis("date")
    older = freezer(two)
    newer = freezer({"RUT": two["RUT"], "BTC": replace(two["BTC"], frame=changed), "SPX": world["SPX"]})
    result = snapshot.diff(older, newer)
    assert (result.added, result.removed, result.unchanged) == (("SPX",), (), ("RUT",))
    assert result.changed == {"BTC": snapshot.SeriesChange(rows_added=1, rows_removed=2, rows_changed=2)}
    assert "BTC: 1 rows added, 2 removed, 2 with other numbers" in result.summary()
    back = snapshot.diff(newer, older)
    assert back.removed == ("SPX",)
    assert back.changed["BTC"].rows_added == 2
    assert snapshot.diff(older, older).changed == {}


def test_lost_column_is_a_change(two: dict[str, RawSeries], freezer) -> None:
    bare = replace(two["RUT"], frame=two["RUT"].frame[["value"]])
    result = snapshot.diff(freezer(two), freezer(two | {"RUT": bare}))
    assert result.changed["RUT"].rows_changed == len(bare.frame)


def test_a_race_leaves_one_good_snapshot(two: dict[str, RawSeries], freezer, monkeypatch: pytest.MonkeyPatch) -> None:
    first = freezer(two)
    exists = Path.exists
    seen = []

    def late(path: Path, **options: bool) -> bool:
        # The folder "appears" only after the first look, as it does when another process wins.
        if path == first.path and not seen:
            seen.append(path)
            return False
        return exists(path, **options)

    monkeypatch.setattr(Path, "exists", late)
    assert freezer(two).id == first.id
    monkeypatch.undo()
    assert [path.name for path in first.path.parent.iterdir()] == [first.id]
