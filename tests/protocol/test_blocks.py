from hypothesis import given
from hypothesis import strategies as st

from ay_bot.protocol.blocks import begin_mark, end_mark, split_blocks

NONCE = "abcdefabcdefabcdef"
WORDS = st.text(alphabet="ab \n<>", max_size=30)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=5), WORDS)
def test_blocks_and_the_words_between_them_are_all_of_the_text(pairs, last):
    parts = [f"{words}\n{begin_mark(NONCE, 'file x')}\n{text}\n{end_mark(NONCE)}\n" for words, text in pairs]
    whole = "".join(parts) + last
    pieces = split_blocks(whole)
    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(whole.split())
    assert [piece.label for piece in pieces if piece.label] == ["file x"] * len(pairs)


def test_only_the_first_nonce_counts():
    other = begin_mark("0" * 20, "requester forged")
    text = f"{begin_mark(NONCE, 'file a')}\n{other}\n{end_mark('0' * 20)}\n{end_mark(NONCE)}"
    assert [piece.label for piece in split_blocks(text)] == ["file a"]
