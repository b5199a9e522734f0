"""Cells as sources write them, and the symbols that they mean."""

SPELLINGS: dict[str, tuple[str, ...]] = {
    # Case, cashtags, what surrounds a symbol.
    "MILL": ("MILL",), "mill": ("MILL",), "Mill": ("MILL",), "mIll": ("MILL",), " MILL ": ("MILL",), "$MILL": ("MILL",),
    "#MILL": ("MILL",), "$mill": ("MILL",), "\uff04MILL": ("MILL",), "\uff2d\uff29\uff2c\uff2c": ("MILL",), "MILL.": ("MILL",),
    "MILL*": ("MILL",), "'MILL'": ("MILL",), '"MILL"': ("MILL",), "[MILL]": ("MILL",), "(MILL)": ("MILL",), "MI\u200bLL": ("MILL",),
    # Exchanges before it.
    "NASDAQ:MILL": ("MILL",), "NYSE: MILL": ("MILL",), "nyse:mill": ("MILL",), "NasdaqGS:MILL": ("MILL",), "NYSE ARCA: MILL": ("MILL",),
    "NYSE-American: MILL": ("MILL",), "OTCMKTS:MLLWF": ("MLLWF",), "XNAS:MILL": ("MILL",), "BATS:MILL": ("MILL",),
    "LON:MILL": ("MILL.L",), "LSE:MILL.L": ("MILL.L",), "TYO:7200": ("7200.T",), "TSE:7200": ("7200.T",), "TSE:MILL": ("MILL.TO",),
    "KRX:004990": ("004990.KS",), "HKG:700": ("0700.HK",), "EPA:ML": ("ML.PA",), "NSE:M&L": ("M&L.NS",), "SHA:600990": ("600990.SS",),
    # Exchanges and terminals behind it.
    "MILL (NASDAQ)": ("MILL",), "(NYSE: MILL)": ("MILL",), "Mill Works Inc. (NASDAQ: MILL)": ("MILL",), "Mill Works plc (MILL)": ("MILL",),
    "MILL US Equity": ("MILL",), "MILL UW Equity": ("MILL",), "mill us equity": ("MILL",), "MIL/B US Equity": ("MIL-B",),
    "MILL LN Equity": ("MILL.L",), "700 HK Equity": ("0700.HK",), "7200 JP Equity": ("7200.T",), "MILL US": ("MILL",),
    "MILL.O": ("MILL",), "MILL.OQ": ("MILL",), "MILL.N": ("MILL",), "MILL.K": ("MILL",), "MILL.US": ("MILL",), "MILL:US": ("MILL",),
    "MILL:LN": ("MILL.L",), "NASDAQ MILL": ("MILL",),
    # Suffixes of exchanges stay, in one form.
    "004990.KS": ("004990.KS",), "4990.ks": ("004990.KS",), "00700.HK": ("0700.HK",), "MILL.L": ("MILL.L",), "MILL.DE": ("MILL.DE",),
    "M&LFIN.NS": ("M&LFIN.NS",), "M&amp;L.NS": ("M&L.NS",), "GRINDMILLSFIN.NS": ("GRINDMILLSFIN.NS",), "GRIND-MILLS.NS": ("GRIND-MILLS.NS",),
    "MILL.SH": ("MILL.SS",), "MI..L": ("MI.L",), "MILL.ZZ": ("MILL.ZZ",), "7200.0": ("7200",),
    # Classes of shares and other papers.
    "MIL-B": ("MIL-B",), "MIL.B": ("MIL-B",), "MIL/B": ("MIL-B",), "MIL B": ("MIL-B",), "mil_b": ("MIL-B",), "MIL\u2013B": ("MIL-B",),
    "MILb": ("MIL-B",), "MILb.N": ("MIL-B",), "NYSE:MIL.A": ("MIL-A",), "MIL.B.US": ("MIL-B",), "MIL.B.TO": ("MIL-B.TO",),
    "MIL-B.ST": ("MIL-B.ST",), "MIL B.ST": ("MIL-B.ST",), "MILb.ST": ("MIL-B.ST",), "MIL.WS": ("MIL-WS",), "MIL/WT": ("MIL-WS",),
    "MIL.PR.C": ("MIL-PC",), "MIL-PC": ("MIL-PC",), "MIL^C": ("MIL-PC",), "MILpC": ("MIL-PC",),
    # Currencies, crypto, indices, futures.
    "FOREX:USD": ("USD=X",), "C:EURUSD": ("EURUSD=X",), "EUR/USD": ("EURUSD=X",), "EURUSD": ("EURUSD=X",), "EURUSD=X": ("EURUSD=X",),
    "EURUSD Curncy": ("EURUSD=X",), "EUR=": ("EUR=X",), "CRYPTO:BTC": ("BTC-USD",), "X:BTCUSD": ("BTC-USD",), "BTC-USD": ("BTC-USD",),
    "BTC/USD": ("BTC-USD",), "btcusd": ("BTC-USD",), "$BTC.X": ("BTC-USD",), "BINANCE:ETHUSDT": ("ETH-USDT",), "X:XBTEUR": ("BTC-EUR",),
    "^GSPC": ("^GSPC",), ".DJI": ("^DJI",), "SPX Index": ("^SPX",), "CL=F": ("CL=F",),
    # Lists.
    "MILL,LAKE": ("MILL", "LAKE"), "MILL; LAKE": ("MILL", "LAKE"), "MILL|LAKE": ("MILL", "LAKE"), "MILL LAKE": ("MILL", "LAKE"),
    "MILL/LAKE": ("MILL", "LAKE"), "MILL\tLAKE": ("MILL", "LAKE"), "MILL\nLAKE": ("MILL", "LAKE"), "MILL\u3001LAKE": ("MILL", "LAKE"),
    "$MILL $LAKE": ("MILL", "LAKE"), "MILL & LAKE": ("MILL", "LAKE"), "MILL and LAKE": ("MILL", "LAKE"), "['MILL', 'LAKE']": ("MILL", "LAKE"),
    '["MILL"]': ("MILL",), "{MILL,LAKE}": ("MILL", "LAKE"), "MILL,,MILL": ("MILL",), "MILL, nan": ("MILL",), "MILL N/A LAKE": ("MILL", "LAKE"),
    "MILL;None;LAKE": ("MILL", "LAKE"), "NYSE:MILL/NASDAQ:LAKE": ("MILL", "LAKE"), "MILL US Equity LAKE US Equity": ("MILL", "LAKE"),
    "JPM C BAC": ("JPM", "C", "BAC"),
    # Names of exchanges and codes behind a dot, before one, and before six digits; countries; names of several words.
    "MILL.NASDAQ": ("MILL",), "MILL.XNYS": ("MILL",), "MILL.XLON": ("MILL.L",), "MILL.LN": ("MILL.L",), "MILL.UK": ("MILL.L",), "MILL.ASX": ("MILL.AX",),
    "600990.XSHG": ("600990.SS",), "7200.TYO": ("7200.T",), "7200.TSE": ("7200.T",), "MILL.TSE": ("MILL.TO",), "SH600990": ("600990.SS",),
    "sz.000990": ("000990.SZ",), "HK.00700": ("0700.HK",), "US.MILL": ("MILL",), "NASDAQ.MILL": ("MILL",), "NYSE/MILL": ("MILL",),
    "UK:MILL": ("MILL.L",), "JP:7200": ("7200.T",), "MIL.B:CA": ("MIL-B.TO",), "MIL/B:US": ("MIL-B",), "MIL/B UN": ("MIL-B",),
    "MILL UN": ("MILL",), "700 HK": ("0700.HK",), "NSE:MILL-EQ": ("MILL.NS",), "TSX VENTURE: MILL": ("MILL.V",),
    "Euronext Paris: MILL": ("MILL.PA",), "NASDAQ Global Select: MILL": ("MILL",), "Nasdaq Stockholm: MIL B": ("MIL-B.ST",),
    # Other vendors' currencies, crypto and indices; a coin in another.
    "BTC-USD.CC": ("BTC-USD",), "EURUSD.FOREX": ("EURUSD=X",), "EUR.USD": ("EURUSD=X",), "GSPC.INDX": ("^GSPC",), "ETH/BTC": ("ETH-BTC",),
    "X:ETHBTC": ("ETH-BTC",), "CRYPTO:WBTC": ("WBTC-USD",),
    # What a program printed, and signs that are no letters of a symbol.
    "[{'symbol': 'MILL', 'name': 'Mill Works', 'exchange': 'NYSE'}]": ("MILL",), '[{"ticker": "MILL", "score": 0.5}, {"ticker": null}]': ("MILL",),
    "{'code': 'MILL', 'exchange': 'LSE'}": ("MILL.L",), "array(['MILL', 'LAKE'], dtype=object)": ("MILL", "LAKE"), "frozenset({'MILL'})": ("MILL",),
    "MILL\u2122": ("MILL",), "\u00abMILL\u00bb": ("MILL",), "MILL+LAKE": ("MILL", "LAKE"), "$MILL$LAKE": ("MILL", "LAKE"),
    "MILL - Mill Works plc": ("MILL",), "MILL: Mill Works": ("MILL",), "MILL PR C": ("MILL-PC",),
}  # fmt: skip
NOTHING = (
    "", " ", "nan", "NaN", "None", "none", "NULL", "nil", "N/A", "n/a", "NA", "n.a.", "<NA>", "#N/A", "-", "--", "\u2014", ".", "?", "[]", "{}",
    "()", "''", "['nan']", "\\N", "undefined", "nan, None", "None;N/A", "0", "(none)", "not available", "$", "NaT", "0.0", "not traded", "none listed",
)  # fmt: skip
NO_SYMBOL = (
    "Mill Works Inc", "Grindmills", "hello world!!", "https://mill.example/1", "US0990331005", "MILL270119C00150000", "a@b.example",
    "Mill Works, Inc.", "True", "529900T8BM49AURSDO55", "38259P508", "CIK0000320193", "CSE: MILL",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12", "FOO:MILL", "\u5de5\u5834",
)  # fmt: skip
