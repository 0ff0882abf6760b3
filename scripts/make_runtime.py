"""Turn the interpreter that runs this into a directory that needs nothing else: /opt/ay for a box of any image.

The interpreter gets its own loader and a forced RPATH, so it runs on an image without a C library, and programs that
it starts inherit nothing (no LD_LIBRARY_PATH). The packages must already be in PREFIX/packages.
"""

import compileall
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

NOT_NEEDED = (
    "__pycache__", "config-*", "dist-packages", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data",
    "site-packages", "test", "tkinter", "turtledemo", "_bz2.*", "_codecs_*", "_crypt.*", "_ctypes_test.*", "_curses*",
    "_dbm.*", "_gdbm.*", "_lsprof.*", "_lzma.*", "_ssl.*", "_test*", "_tkinter.*", "_xxtestfuzz.*",
    "_sqlite3.*", "audioop.*", "nis.*", "ossaudiodev.*", "readline.*", "xxlimited*",
)  # fmt: skip

# Of the agent's packages: tests, types for checkers, what builds extensions, and loaders of formats that are not used.
NOT_SHIPPED = (
    "numpy/**/tests", "numpy/f2py", "numpy/_pyinstaller", "numpy/_core/include", "numpy/_core/lib", "numpy/random",
    "numpy/testing", "numpy/distutils", "**/*.pyi", "tree_sitter*/**/*.c", "tree_sitter*/**/*.h",
    "*.dist-info/sboms", "bin",
)  # fmt: skip


def needed_libraries(program: Path) -> list[Path]:
    """Return the shared libraries that `program` loads, its loader among them."""
    output = subprocess.run(["ldd", program], check=False, capture_output=True, text=True).stdout
    words = (line.split("=>")[-1].split() for line in output.splitlines())
    return [Path(word[0]) for word in words if word and word[0].startswith("/")]


def drop_what_is_not_shipped(packages: Path) -> None:
    """Remove what the agent never loads."""
    for path in [path for pattern in NOT_SHIPPED for path in packages.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def make_runtime(prefix: Path) -> None:
    """Fill `prefix` with the interpreter, its standard library, and every shared library that it all loads."""
    libraries = prefix / "lib"
    standard = libraries / f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copytree(sysconfig.get_path("stdlib"), standard, ignore=shutil.ignore_patterns(*NOT_NEEDED))
    program = prefix / "bin" / "python3"
    program.parent.mkdir()
    shutil.copy(Path(sys.executable).resolve(), program)
    drop_what_is_not_shipped(prefix / "packages")
    found = {path for file in [program, *prefix.rglob("*.so")] for path in needed_libraries(file)}
    found = {path for path in found if prefix not in path.parents}  # a package's own libraries lie beside it
    found |= {path.parent / "libgcc_s.so.1" for path in found if path.name == "libc.so.6"}  # for pthread_exit
    for path in sorted(found):
        shutil.copy(path.resolve(), libraries / path.name)
    loader = next(path.name for path in found if path.name.startswith("ld-"))
    subprocess.run(["patchelf", "--set-interpreter", libraries / loader, program], check=True)
    subprocess.run(["patchelf", "--force-rpath", "--set-rpath", libraries, program], check=True)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for directory in (standard, prefix / "packages"):
        compileall.compile_dir(directory, quiet=1, invalidation_mode=mode)


if __name__ == "__main__":
    make_runtime(Path(sys.argv[1]))
