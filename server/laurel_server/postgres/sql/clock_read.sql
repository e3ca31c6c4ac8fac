-- Where the test clock stands; no row: nobody has set it.
SELECT now FROM sandbox_clock
