"""Stage 7: the release and the recommendations of the champion."""
