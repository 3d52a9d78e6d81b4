"""The exceptions raised on purpose. Each message says what was required, what came, what to do."""


class ClassifierError(ValueError):
    """Something the user can mend: the command line prints it as one sentence and exits with 1."""


class RecordError(ClassifierError):
    """A record cannot exist, such as a span whose end lies before its start."""


class CodebookError(ClassifierError):
    """A codebook is malformed, or something was asked of it that it does not define."""


class DataError(ClassifierError):
    """A file or table does not hold what its format promises; names the file and the place."""


class ReplaceError(ClassifierError):
    """Something that took work would be replaced; nothing was changed."""


class ModelError(ClassifierError):
    """A model cannot be found, loaded, fitted or applied."""
