"""What is found in files of each language, and what becomes of files that were made to do harm."""

import pytest

from ay_bot.outline.digest import BINARY, COLUMNS, FAILED, INDEXED, is_sound
from ay_bot.outline.languages import GRAMMARS, language_of
from ay_bot.outline.pool import Pool, Worker
from ay_bot.outline.reading import Reader, find_names
from ay_bot.outline.worker import pack_answer, unpack_answer

SOURCES = {
    "a.sh": ("greet() {\n  echo hi\n}\nLIMIT=3\ngreet\n", {"greet", "LIMIT"}, {"greet", "echo"}),
    "a.c": ("#define MOST 3\nstruct box { int a; };\nint open_box(struct box *b) { return lift(b); }\n", {"MOST", "box", "open_box"}, {"lift"}),
    "a.cpp": ("namespace ship { class Hull { void seal(); }; }\nvoid ship::Hull::seal() { weld(); }\n", {"ship", "Hull", "seal"}, {"weld"}),
    "a.cs": ("namespace N { class Cat : Pet { public int Age { get; } void Purr() { Play(); } } }\n", {"N", "Cat", "Age", "Purr"}, {"Pet", "Play"}),
    "a.go": ("package p\nconst Limit = 3\ntype Box struct{}\nfunc (b *Box) Open(k Key) { lift(b) }\n", {"Limit", "Box", "Open"}, {"Key", "lift"}),
    "A.java": ("class Cat extends Pet { int age; void purr() { play(); } }\n", {"Cat", "age", "purr"}, {"Pet", "play"}),
    "a.js": ("export const LIMIT = 3;\nclass Cat { purr() { play(); } }\nconst hiss = () => spit();\n", {"LIMIT", "Cat", "purr", "hiss"}, {"play", "spit"}),
    "a.kt": ("class Cat : Pet() { fun purr() { play() } }\nval limit = 3\n", {"Cat", "purr", "limit"}, {"Pet", "play"}),
    "a.php": ("<?php class Cat extends Pet { function purr() { play(); } }\n", {"Cat", "purr"}, {"Pet", "play"}),
    "a.py": ("LIMIT = 3\nclass Cat(Pet):\n    def purr(self):\n        play()\n", {"LIMIT", "Cat", "purr"}, {"Pet", "play"}),
    "a.rb": ("LIMIT = 3\nclass Cat < Pet\n  def purr\n    play\n  end\nend\n", {"LIMIT", "Cat", "purr"}, {"Pet", "play"}),
    "a.rs": ("const LIMIT: u8 = 3;\nstruct Cat;\nimpl Pet for Cat { fn purr(&self) { play(); } }\n", {"LIMIT", "Cat", "purr"}, {"Pet", "play"}),
    "a.scala": ("object Cat extends Pet { def purr() = play() }\n", {"Cat", "purr"}, {"Pet", "play"}),
    "a.swift": ("class Cat: Pet { func purr() { play() } }\n", {"Cat", "purr"}, {"Pet", "play"}),
    "a.tsx": ("export const Cat = (p: Props) => <Tail />;\nfunction purr() { play(); }\n", {"Cat", "purr"}, {"Props", "Tail", "play"}),
    "a.ts": ("interface Pet { name: string }\ntype Age = number;\nenum Kind { A }\nabstract class Cat { purr(a: Food) { play(); } }\n", {"Pet", "Age", "Kind", "Cat", "purr"}, {"Food", "play"}),
    "a.lua": ("function purr(cat)\n  play(cat)\nend\n", {"purr"}, {"play"}),
}  # fmt: skip


@pytest.mark.parametrize("path", SOURCES)
def test_definitions_and_references(path):
    source, definitions, references = SOURCES[path]
    found, used = find_names(path, source.encode(), language_of(path))
    assert definitions <= {name.decode() for name, _ in found}
    assert references <= {name.decode() for name in used}


def test_every_grammar_has_a_case():
    assert set(GRAMMARS) - {""} == {language_of(path) for path in SOURCES} - {""}


def test_lines_are_where_names_stand():
    found, _ = find_names("a.py", b"\n\nclass Cat:\n    def purr(self): pass\n", "python")
    assert found == [(b"Cat", 2), (b"purr", 3)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.png", b"\x89PNG\0\0" * 100),
        ("a.py", b""),
        ("a.py", b"\xff\xfe\x00"),
        ("a.go", b"func a() {\n" * 3_000),
        ("a.md", b"word " * 300_000),
        ("a.c", b"(" * 200_000),
        ("a.json", b'{"a":' * 50_000),
    ],
)
def test_any_file_has_a_sound_digest(path, text):
    digest = Reader().read(path, text)
    assert is_sound(digest.columns)
    assert unpack_answer(pack_answer([digest])[4:]) == (False, [digest])


def test_binary_files_are_known_by_their_zeros():
    digest = Reader().read("a.py", b"x\0y")
    assert int.from_bytes(digest.columns[0][:4], "little") == BINARY


def test_a_file_that_kills_its_reader_costs_one_file():
    deadly = ("b" * 40, "deadly.c", b"(\n" * 100_000)  # so deep that its tree takes minutes to search
    harmless = [(f"{number:040x}", f"{number}.py", b"def f(): pass\n") for number in range(3)]
    with Pool(1, seconds=0.5) as pool:
        read = dict(found for answer in pool.read([harmless[0], deadly, *harmless[1:]]) for found in answer)
        assert pool.deaths >= 1
    assert read.keys() == {deadly[0], *(text[0] for text in harmless)}
    assert all(len(read[text[0]].columns[6]) == 4 for text in harmless)
    status = int.from_bytes(read[deadly[0]].columns[0][:4], "little")
    assert status in (INDEXED, FAILED)
    assert not read[deadly[0]].columns[6]


def test_a_worker_that_answers_nonsense_is_not_believed(monkeypatch):
    from ay_bot.outline import pool

    monkeypatch.setattr(pool, "unpack_answer", lambda _: (False, [pool.Digest((b"",) * len(COLUMNS))]))
    worker = Worker()
    ((blob, digest),) = worker.read([("a" * 40, "a.py", b"x = 1\n")])
    worker.close()
    assert blob == "a" * 40
    assert int.from_bytes(digest.columns[0][:4], "little") == FAILED


def test_who_leaves_in_the_middle_leaves_nothing_behind():
    for _ in range(5):
        with Pool(2) as pool:
            texts = (("0" * 40, f"{number}.py", b"def a(): pass\n" * 5_000) for number in range(400))
            next(pool.read(texts))
        for thread in pool._threads:
            thread.join(0.2)  # one that waits for a reader may stay; none may raise, which pytest would see
        assert all(worker._process is None or worker._process.poll() is not None for worker in pool._workers)
