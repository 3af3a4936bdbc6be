# Ask, fetch and stage, with nothing else in the interpreter. All scripts here are given by `-c`, in the
# folder that is the board's flash, with MICROPYPATH=:.frozen:lib and the heap to be tried.
import standin
import ota_updater
import secrets

print("staged", ota_updater.update(secrets.CONFIG))
