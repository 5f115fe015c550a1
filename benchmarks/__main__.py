"""``python -m benchmarks`` lists the benchmarks, ``python -m benchmarks NAME`` runs one."""

from benchmarks._harness import main

if __name__ == "__main__":  # processes that are spawned import this module again
    main()
