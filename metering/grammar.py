"""Find where JSON values end, by the whole grammar, in text that needs no decoding to be understood.

A position is the index after what was read. -1 stands for everything else: a mistake, and also what is right but not
plain (escapes that need decoding, very deep nesting). Whoever gets it asks the decoder, which knows and says which.
"""

from ledger.compiled import Bytes, compiled

QUOTE, BACKSLASH, COMMA, COLON, MINUS, PLUS, POINT = (ord(character) for character in '"\\,:-+.')
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = (ord(character) for character in "{}[]")
SPACE, TAB, NEWLINE, RETURN = (ord(character) for character in " \t\n\r")
ZERO, NINE = ord("0"), ord("9")
LOWER_E, UPPER_E = ord("e"), ord("E")
LOWER_T, LOWER_F, LOWER_N = ord("t"), ord("f"), ord("n")
CONTROL_END = 32
ESCAPED = tuple(ord(character) for character in '"\\/bfnrt')
TRUE, FALSE, NULL = (tuple(word) for word in (b"true", b"false", b"null"))
DEPTH_MAX = 60
"""The kinds of the open containers are bits of one integer."""


@compiled
def space_end(text: Bytes, at: int, end: int, newline: bool) -> int:
    """After the white space at `at`; a newline is part of it where `newline` says so."""
    while at < end:
        byte = text[at]
        if byte != SPACE and byte != TAB and byte != RETURN and not (newline and byte == NEWLINE):
            break
        at += 1
    return at


@compiled
def plain_string_end(text: Bytes, at: int, end: int) -> int:
    """After the closing quote of a string without any escape, whose first character is at `at`."""
    while at < end:
        byte = text[at]
        if byte == QUOTE:
            return at + 1
        if byte == BACKSLASH or byte < CONTROL_END:
            return -1
        at += 1
    return -1


@compiled
def string_end(text: Bytes, at: int, end: int) -> int:
    """After the closing quote of a string whose first character is at `at`; its escapes name one character."""
    while at < end:
        byte = text[at]
        if byte == QUOTE:
            return at + 1
        if byte < CONTROL_END:
            return -1
        if byte == BACKSLASH:
            at += 1
            if at >= end or text[at] not in ESCAPED:
                return -1
        at += 1
    return -1


@compiled
def digits_end(text: Bytes, at: int, end: int) -> int:
    """After the digits at `at`."""
    while at < end and ZERO <= text[at] <= NINE:
        at += 1
    return at


@compiled
def number_end(text: Bytes, at: int, end: int) -> int:
    """After the number at `at`."""
    if at < end and text[at] == MINUS:
        at += 1
    whole = at
    at = digits_end(text, at, end)
    if at == whole or (text[whole] == ZERO and at - whole > 1):
        return -1
    if at < end and text[at] == POINT:
        fraction = at + 1
        at = digits_end(text, fraction, end)
        if at == fraction:
            return -1
    if at < end and (text[at] == LOWER_E or text[at] == UPPER_E):
        at += 1
        if at < end and (text[at] == MINUS or text[at] == PLUS):
            at += 1
        exponent = at
        at = digits_end(text, exponent, end)
        if at == exponent:
            return -1
    return at


@compiled
def word_end(text: Bytes, at: int, end: int, word: tuple[int, ...]) -> int:
    """After `word`, if it is what stands at `at`."""
    if end - at < len(word):
        return -1
    for place in range(len(word)):
        if text[at + place] != word[place]:
            return -1
    return at + len(word)


@compiled
def scalar_end(text: Bytes, at: int, end: int) -> int:
    """After the string, number or literal at `at`."""
    byte = text[at]
    if byte == QUOTE:
        return string_end(text, at + 1, end)
    if byte == LOWER_T:
        return word_end(text, at, end, TRUE)
    if byte == LOWER_F:
        return word_end(text, at, end, FALSE)
    if byte == LOWER_N:
        return word_end(text, at, end, NULL)
    return number_end(text, at, end)


@compiled
def key_end(text: Bytes, at: int, end: int, newline: bool) -> int:
    """After the key at `at`, its colon, and the space around that."""
    if at >= end or text[at] != QUOTE:
        return -1
    at = string_end(text, at + 1, end)
    if at < 0:
        return -1
    at = space_end(text, at, end, newline)
    if at >= end or text[at] != COLON:
        return -1
    return space_end(text, at + 1, end, newline)


@compiled
def levels(text: Bytes) -> int:
    """How deep the containers of `text` are nested at most, if it is JSON."""
    depth, deepest = 0, 0
    in_string = False
    at = 0
    while at < len(text):
        byte = text[at]
        if in_string:
            if byte == BACKSLASH:
                at += 1
            in_string = byte != QUOTE
        elif byte == QUOTE:
            in_string = True
        elif byte == OPEN_OBJECT or byte == OPEN_ARRAY:
            depth += 1
            deepest = max(deepest, depth)
        elif byte == CLOSE_OBJECT or byte == CLOSE_ARRAY:
            depth -= 1
        at += 1
    return deepest


@compiled
def value_end(text: Bytes, at: int, end: int, newline: bool) -> int:
    """After the value at `at`, whatever it holds."""
    depth, kinds = 0, 0  # the lowest bit of `kinds` is 1 where the innermost container is an object
    while True:
        if at >= end:
            return -1
        byte = text[at]
        if byte == OPEN_OBJECT or byte == OPEN_ARRAY:
            is_object = byte == OPEN_OBJECT
            at = space_end(text, at + 1, end, newline)
            if at >= end:
                return -1
            if text[at] != (CLOSE_OBJECT if is_object else CLOSE_ARRAY):
                depth, kinds = depth + 1, kinds * 2 + is_object
                if depth > DEPTH_MAX:
                    return -1
                if is_object:
                    at = key_end(text, at, end, newline)
                    if at < 0:
                        return -1
                continue
            at += 1
        else:
            at = scalar_end(text, at, end)
            if at < 0:
                return -1
        while depth > 0:
            at = space_end(text, at, end, newline)
            if at >= end:
                return -1
            byte, is_object = text[at], kinds & 1
            at += 1
            if byte == COMMA:
                at = space_end(text, at, end, newline)
                if is_object:
                    at = key_end(text, at, end, newline)
                    if at < 0:
                        return -1
                break
            if byte != (CLOSE_OBJECT if is_object else CLOSE_ARRAY):
                return -1
            depth, kinds = depth - 1, kinds >> 1
        else:
            return at
