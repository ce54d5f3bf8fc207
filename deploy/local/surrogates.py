"""Surrogates in texts: Java's strings are UTF-16, so a template may split a character in two."""

_REPLACEMENT = "?"


def well_formed(text: str) -> str:
    """
    Return a text that can be encoded: halves that meet are one character, a lone one becomes `?`.

    Source: `java.lang.String.getBytes(UTF_8)`, observed on OpenJDK 17.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        units = text.encode("utf-16-le", "surrogatepass")
        joined = units.decode("utf-16-le", "surrogatepass")
        return "".join(_REPLACEMENT if "\ud800" <= char <= "\udfff" else char for char in joined)
    return text
