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
}  # fmt: skip
NOTHING = (
    "", " ", "nan", "NaN", "None", "none", "NULL", "nil", "N/A", "n/a", "NA", "n.a.", "<NA>", "#N/A", "-", "--", "\u2014", ".", "?", "[]", "{}",
    "()", "''", "['nan']", "\\N", "undefined", "nan, None", "None;N/A", "0", "(none)", "not available", "$", "NaT",
)  # fmt: skip
NO_SYMBOL = (
    "Mill Works Inc", "Grindmills", "hello world!!", "https://mill.example/1", "US0990331005", "MILL270119C00150000", "a@b.example",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12", "FOO:MILL", "\u5de5\u5834",
)  # fmt: skip
