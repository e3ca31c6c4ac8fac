"""What the boards may answer instead of doing what they are told."""


class BoardsUnavailable(Exception):
    """Redis did not confirm in time. The ledger has it; repair takes it to the boards."""
