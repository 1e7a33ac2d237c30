"""The one exception that means: the user can mend this."""


class UserError(Exception):
    """Bad input; its message is one line that names the thing and what to do.

    Binaries print the message and exit with code 1, without a traceback. Library
    users may catch it; every documented failure on bad input raises it.
    """
