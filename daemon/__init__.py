"""The wing that runs: it watches the inbox, predicts and files, and looks after what people do.

Beside its rooms: ``corrections`` (what people did with files), ``late_sidecars``, ``daily_backup``,
alarms and who carries them, ``demo`` and ``bench`` to see for oneself, ``units`` for systemd.
"""
