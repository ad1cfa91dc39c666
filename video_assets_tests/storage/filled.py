"""A catalogue with rows in every table of an owner, filled by those who fill it in earnest."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from video_assets.media.discovery import discover
from video_assets.search import queries
from video_assets.search.queries import QueryVectors, Question
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import descriptions, erasure, ledger, runs
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.catalogue_copy import Side
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar
from video_assets.storage.way_in import WayIn
from video_assets_tests.findings import ALL, scenes, transcript
from video_assets_tests.search.shelves import vector

MODEL, NEXT_MODEL = "first/model", "next/model"
SUBJECTS = ("bridge", "harbour", "glacier", "market", "orchard")


@dataclass(frozen=True)
class Filled:
    """An owner's catalogue that is filled, and the folder of the files."""

    catalogue: Postgres
    folder: Path
    owner: uuid.UUID = LOCAL_OWNER

    @property
    def side(self) -> Side:
        """As one side of a copy."""
        return Side(self.catalogue, self.owner)

    def fill(self, clips: int) -> list[str]:
        """Add clips with everything that can be known of one, and what an owner does with them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in range(clips):
            (self.folder / f"{SUBJECTS[number % 5]}_{number:03}.mp4").write_text(f"clip {number}")
        checksums = self.register()
        for number, checksum in enumerate(checksums):
            self.find(checksum, SUBJECTS[number % 5], number)
        return checksums

    def register(self) -> list[str]:
        """Make clips of what lies in the folder, in a run."""
        run = runs.begin(
            self.catalogue, self.owner, "ingest", preset="default", preset_document={}, name="day"
        )
        checksums: list[str] = []
        registrar = Registrar(self.catalogue, self.owner, "blake3", "default", tuple(ALL))
        for file in registrar.register(discover([self.folder]).candidates):
            if file.checksum is not None:
                checksums.append(file.checksum)
                run.take_in(file.checksum, "new")
        registrar.refuse(self.folder / "torn.mp4", "it is torn")
        run.note_unreadable(str(self.folder / "torn.mp4"), "it is torn")
        run.end("completed")
        return sorted(checksums, key=self.names().__getitem__)

    def find(self, checksum: str, subject: str, number: int = 0) -> None:
        """Save what every analyzer finds in a clip."""
        said = (f"We see a {subject}.", f"The {subject} is number {number}.")
        found = {**ALL, "scenes": scenes(2.0, 5.5), "transcript": transcript(*said)}
        for asset, document in found.items():
            self.save(checksum, asset, document)
        passages = [
            {"number": place, "start_s": float(place), "end_s": place + 1.0, "text": text}
            for place, text in enumerate(said, 1)
        ]
        self.save(checksum, "search_texts", {"passages": passages, "language": "en"})
        self.embed(checksum, MODEL, number)

    def embed(self, checksum: str, model: str, number: int) -> None:
        """Save vectors that point where nobody else's do."""
        mine = vector(1.0, number / 10)
        self.save(
            checksum,
            "embeddings",
            {
                "model": model,
                "summary_vector": str(mine),
                "keyword_vector": str(mine),
                "embedded_content": f"of {number}",
                "original_content": f"all of {number}",
                "token_count": 2,
                "original_token_count": 3,
                "truncation_method": "none",
                "skipped": None,
            },
        )
        moments = [{"number": 1, "vector": mine}, {"number": 2, "vector": vector(0.5, number / 9)}]
        self.save(
            checksum,
            "moment_embeddings",
            {"model": model, "vectors": moments, "mean_vector": str(mine)},
        )

    def save(self, checksum: str, asset: str, document: dict[str, Any]) -> None:
        """Save one result."""
        ledger.save_done(
            self.catalogue,
            asset=asset,
            checksum=checksum,
            made=ledger.Made("1", "", ""),
            document=document,
            problems={},
            seconds=1.0,
            cpu_seconds=1.0,
            run_id="run",
        )

    def live(self, checksums: Sequence[str]) -> None:
        """Do what people do: edit, promote, pay, take back, forget; the last clip is forgotten."""
        first, second, *_, last = (self.ids()[checksum] for checksum in checksums)
        descriptions.edit(self.catalogue, self.owner, first, {"summary": "Our own words."})
        descriptions.promote(self.catalogue, self.owner, "claude_analysis")
        descriptions.promote(self.catalogue, self.owner, "local_analysis", [second])
        descriptions.promote(self.catalogue, self.owner, "gemini_analysis", [second])
        descriptions.roll_back(self.catalogue, self.owner)
        self.pay(checksums[0])
        erasure.forget_clip(self.catalogue, self.owner, last)

    def pay(self, checksum: str) -> None:
        """Pay for a call."""
        billing = Billing(self.catalogue, checksum, "gemini_analysis", "run", Caps())
        call = billing.reserve(
            usd=Decimal("0.01"),
            tokens=10,
            provider="tests",
            model="m",
            account="an account",
            request=uuid.uuid4().hex,
            prices_as_of=None,
            is_price_known=True,
            requests_a_minute=None,
            tokens_a_minute=None,
        )
        assert isinstance(call, uuid.UUID)
        billing.settle(
            call, "answered", usd=Decimal("0.01"), input_tokens=8, output_tokens=2, answer="yes"
        )

    def ids(self) -> dict[str, uuid.UUID]:
        """The ids of the clips, by content."""
        return {row["file_checksum"]: row["id"] for row in self.rows("SELECT * FROM clips")}

    def names(self) -> dict[str, str]:
        """The names of the clips, by content."""
        return {row["file_checksum"]: row["file_name"] for row in self.rows("SELECT * FROM clips")}

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the catalogue as the owner."""
        with self.catalogue.transaction(self.owner) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def answers(self, way: WayIn | None = None, owner: uuid.UUID | None = None) -> dict[str, Any]:
        """What the searches answer; by another way in, of another owner of the same clips."""
        catalogue, owner = way or self.catalogue, owner or self.owner
        vectors = QueryVectors(vector(1.0, 0.2), vector(1.0, 0.2))
        clip = next(iter(sorted(self.ids().values())))
        some = Question(limit=50)
        asked = {
            "words": queries.fulltext(catalogue, owner, "bridge", some),
            "speech": queries.transcripts(catalogue, owner, "harbour", some, shortest=1),
            "meaning": queries.semantic(catalogue, owner, vectors, some),
            "both": queries.hybrid(catalogue, owner, "own words", vectors, some),
            "moments": queries.moments(catalogue, owner, "glacier", vectors, some),
            "alike": queries.similar(catalogue, owner, clip, some),
        }
        assert [name for name, found in asked.items() if not found] == []
        return asked
