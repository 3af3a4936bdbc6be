# Made by `cargo xtask package`: what of this folder is frozen into firmware, or put into ROMFS.
metadata(description="Over-the-air updates from GitHub releases", version="0.1.0")

module("ota_app.py", opt=3)
module("ota_files.py", opt=3)
module("ota_journal.py", opt=3)
module("ota_moves.py", opt=3)
module("ota_rescue.py", opt=3)
module("ota_steps.py", opt=3)
module("ota_swap.py", opt=3)
module("ota_trial.py", opt=3)
module("ota_updater.py", opt=3)
package("mpota", opt=3)
