"""Exchanges: how vendors and terminals name them before or behind a symbol, and whose calendar each keeps.

Here: names alone. Not here: how a symbol is read (`symbols.py`), on which exchange it trades (`market/symbol_exchange.py`) and when
an exchange trades (`market/calendar.py`).
"""

from typing import NamedTuple


class Exchange(NamedTuple):
    """`suffix`: behind a symbol after a dot, as Yahoo writes it; "" in the United States. `calendar`: the code under which
    `exchange_calendars` knows its hours, "" where it does not. `tails`: other suffixes; `prefixes`: what stands before a colon;
    `codes`: what a terminal writes behind a blank; `digits`: to how many a symbol of digits is filled with zeros, 0 for none.
    """

    suffix: str
    calendar: str
    prefixes: str = ""
    codes: str = ""
    tails: str = ""
    digits: int = 0


UNITED_STATES = Exchange(
    "",
    "XNYS",
    prefixes="NASDAQ NASDAQGS NASDAQGM NASDAQCM NMS NGM NCM NYSE NYS NYSEARCA NYSEAMERICAN NYSEMKT NYQ AMEX ASE ARCA PCX BATS BZX"
    " CBOE IEX OTC OTCMKTS OTCMARKETS OTCQB OTCQX OTCBB OTCPK OTCPINK PINK PNK US USA XNYS XNAS XASE ARCX BATS OOTC",
    codes="US UN UW UQ UR UP UA UV UF UB",
    tails="US O OQ N NY K OB PK OTC",
)
_ELSEWHERE = (
    # Asia and the Pacific
    Exchange("T", "XTKS", "TYO JPX XTKS TKS", "JP JT", "JP", digits=4),
    Exchange("KS", "XKRX", "KRX KOSPI XKRX KSE", "KS KP", "KO", digits=6),
    Exchange("KQ", "XKRX", "KOSDAQ XKOS", "KQ", "", digits=6),
    Exchange("HK", "XHKG", "HKG HKEX SEHK XHKG HK", "HK", "", digits=4),
    Exchange("SS", "XSHG", "SHA SSE SH SHSE XSHG", "CG", "SH SHG", digits=6),
    Exchange("SZ", "XSHG", "SHE SZSE SZ XSHE", "CS", "SHE", digits=6),
    Exchange("TW", "XTAI", "TPE TWSE XTAI", "TT", digits=4),
    Exchange("TWO", "XTAI", "TPEX GTSM", digits=4),
    Exchange("NS", "XBOM", "NSE NSI XNSE", "IN IS", "NSE"),
    Exchange("BO", "XBOM", "BSE BOM XBOM", "IB", "BSE", digits=6),
    Exchange("SI", "XSES", "SGX SES XSES", "SP"),
    Exchange("KL", "XKLS", "KLSE MYX XKLS", "MK", "KLSE", digits=4),
    Exchange("BK", "XBKK", "BKK SET XBKK", "TB"),
    Exchange("JK", "XIDX", "IDX JKT XIDX", "IJ"),
    Exchange("PS", "XPHS", "PSE XPHS", "PM"),
    Exchange("KA", "XKAR", "PSX KAR XKAR", "PA", "KAR"),
    Exchange("AX", "XASX", "ASX XASX", "AU AT", "AU"),
    Exchange("NZ", "XNZE", "NZX NZE NZSE XNZE", "NZ"),
    # Europe
    Exchange("L", "XLON", "LON LSE XLON AIM", "LN", "LON LSE UK"),
    Exchange("IL", "XLON", "LSIN IOB", "LI"),
    Exchange("DE", "XETR", "ETR XETR XETRA GER", "GY GR", "XETRA"),
    Exchange("F", "XFRA", "FRA FWB XFRA", "GF"),
    Exchange("DU", "XDUS", "DUS XDUS", "GD"),
    Exchange("HM", "XHAM", "HAM XHAM", "GH"),
    Exchange("SG", "XSTU", "STU XSTU", "GS", "STU"),
    Exchange("BE", "", "BER XBER", "GB"),
    Exchange("MU", "", "MUN XMUN", "GM"),
    Exchange("HA", "", "HAN XHAN", "GI"),
    Exchange("PA", "XPAR", "EPA XPAR PAR", "FP"),
    Exchange("AS", "XAMS", "AMS XAMS AEX", "NA"),
    Exchange("BR", "XBRU", "EBR XBRU BRU", "BB"),
    Exchange("LS", "XLIS", "ELI XLIS LIS", "PL"),
    Exchange("IR", "XDUB", "ISE XDUB DUB", "ID"),
    Exchange("MI", "XMIL", "BIT MIL XMIL MTA", "IM"),
    Exchange("MC", "XMAD", "BME XMAD MCE", "SM SQ"),
    Exchange("SW", "XSWX", "SWX VTX XSWX EBS SIX", "SW SE VX", "S VX"),
    Exchange("VI", "XWBO", "VIE XWBO WBAG", "AV"),
    Exchange("ST", "XSTO", "STO XSTO OMX", "SS"),
    Exchange("CO", "XCSE", "CPH XCSE", "DC"),
    Exchange("HE", "XHEL", "HEL XHEL", "FH"),
    Exchange("OL", "XOSL", "OSL OSE XOSL OB", "NO"),
    Exchange("IC", "XICE", "XICE", "RF"),
    Exchange("WA", "XWAR", "WSE GPW XWAR", "PW", "WAR"),
    Exchange("PR", "XPRA", "PRA XPRA", "CP"),
    Exchange("BD", "XBUD", "BUD XBUD", "HB"),
    Exchange("AT", "ASEX", "ATH ASEX", "GA"),
    Exchange("RO", "XBSE", "BVB XBSE", "RO"),
    Exchange("TL", "XTAL", "TAL XTAL", "ET"),
    Exchange("RG", "XRIS", "RIX XRIS", "LR"),
    Exchange("VS", "XLIT", "VSE XLIT", "LH"),
    Exchange("LU", "XLUX", "XLUX", "LX"),
    Exchange("ZA", "XZAG", "ZAG ZSE XZAG", "CZ"),
    Exchange("LJ", "XLJU", "LJU LJSE XLJU", "SV"),
    Exchange("BV", "XBRA", "XBRA", "SK"),
    Exchange("ME", "XMOS", "MCX MOEX MISX XMOS", "RM RX"),
    Exchange("IS", "XIST", "IST BIST XIST", "TI"),
    # America
    Exchange("TO", "XTSE", "TSX TOR XTSE", "CT CN"),
    Exchange("V", "XTSE", "TSXV CVE XTSX", "CV"),
    Exchange("CN", "XTSE", "CNSX XCNQ", "CF"),
    Exchange("NE", "XTSE", "NEO NEOE", "QH"),
    Exchange("SA", "BVMF", "BVMF BMFBOVESPA B3 SAO", "BZ BS"),
    Exchange("MX", "XMEX", "BMV MEX XMEX", "MM MF"),
    Exchange("SN", "XSGO", "BCS SGO XSGO", "CI CC"),
    Exchange("BA", "XBUE", "BCBA BUE XBUE", "AR AF"),
    Exchange("LM", "XLIM", "BVL LIM XLIM", "PE"),
    Exchange("CL", "XBOG", "BVC BOG XBOG", "CB"),
    # Africa and the Middle East
    Exchange("JO", "XJSE", "JSE JNB XJSE", "SJ", "J JSE"),
    Exchange("TA", "XTAE", "TLV TASE XTAE", "IT"),
    Exchange("SR", "XSAU", "TADAWUL SAU XSAU", "AB", "SAU", digits=4),
    Exchange("CA", "", "EGX CAI XCAI", "EY"),
    Exchange("QA", "", "QSE DSMD", "QD"),
    Exchange("AE", "", "DFM ADX XDFM XADS", "UH DU"),
)
EXCHANGES = (UNITED_STATES, *_ELSEWHERE)

INDICES = {
    index: calendar
    for calendar, indices in (
        ("XNYS", "GSPC SPX DJI DJA DJT DJU IXIC NDX RUT RUI RUA NYA XAX VIX OEX MID SML SOX W5000"),
        ("XTSE", "GSPTSE"),
        ("BVMF", "BVSP"),
        ("XMEX", "MXX"),
        ("XTKS", "N225 TPX TOPX"),
        ("XKRX", "KS11 KQ11 KS200"),
        ("XHKG", "HSI HSCE"),
        ("XTAI", "TWII"),
        ("XBOM", "BSESN NSEI NSEBANK"),
        ("XSES", "STI"),
        ("XKLS", "KLSE"),
        ("XIDX", "JKSE"),
        ("XASX", "AXJO AORD"),
        ("XNZE", "NZ50"),
        ("XLON", "FTSE FTMC FTAS"),
        ("XETR", "GDAXI MDAXI SDAXI TECDAX"),
        ("XPAR", "FCHI"),
        ("XAMS", "AEX"),
        ("XBRU", "BFX"),
        ("XSWX", "SSMI"),
        ("XMAD", "IBEX"),
        ("XWBO", "ATX"),
        ("XSTO", "OMX"),
    )
    for index in indices.split()
}
"""Index, as it is spelled behind its caret -> the calendar of the exchange whose shares it counts; others are computed at hours that
nobody stated."""

BY_SUFFIX = {exchange.suffix: exchange for exchange in EXCHANGES}
BY_TAIL = {tail: exchange for exchange in EXCHANGES for tail in (*exchange.tails.split(), exchange.suffix) if tail}
BY_PREFIX = {prefix: exchange for exchange in EXCHANGES for prefix in exchange.prefixes.split()}
BY_CODE = {code: exchange for exchange in EXCHANGES for code in exchange.codes.split()}
_CODES_AS_TAILS = "LN GY FP JP UW UQ CT TT SM IM AV FH DC BB NA"
CODES_AS_TAILS = frozenset(_CODES_AS_TAILS.split())
"""Codes of a terminal that some write behind a dot; the others are a suffix, a class of shares or a country of other sources."""
_COUNTRIES = "JP:T TW:TW SG:SI AU:AX UK:L GB:L DE:DE FR:PA NL:AS IT:MI ES:MC CH:SW SE:ST NO:OL FI:HE DK:CO CA:TO BR:SA MX:MX ZA:JO BE:BR AT:VI IE:IR PT:LS"
BY_COUNTRY = {country: BY_SUFFIX[suffix] for country, _, suffix in (pair.partition(":") for pair in _COUNTRIES.split())}
"""Countries beside a colon; alone or in parentheses such letters are symbols too."""
BY_LONG_NAME = {
    name: BY_SUFFIX[suffix]
    for suffix, names in {
        "": "NASDAQ GLOBAL SELECT MARKET/NASDAQ GLOBAL SELECT/NASDAQ GLOBAL MARKET/NASDAQ CAPITAL MARKET/NASDAQ GLOBAL/NASDAQ CAPITAL"
        "/NYSE ARCA/NYSE AMERICAN/NYSE MKT/NASDAQ GS/NASDAQ GM/NASDAQ CM/OTC MARKETS/OTC PINK/OTC QB/OTC QX/NYSE NATIONAL",
        "TO": "TORONTO STOCK EXCHANGE/TORONTO",
        "V": "TSX VENTURE EXCHANGE/TSX VENTURE/TSX V",
        "L": "LONDON STOCK EXCHANGE/LONDON/LSE AIM",
        "DE": "FRANKFURT XETRA",
        "F": "FRANKFURT",
        "PA": "EURONEXT PARIS/PARIS",
        "AS": "EURONEXT AMSTERDAM/AMSTERDAM",
        "BR": "EURONEXT BRUSSELS/BRUSSELS",
        "LS": "EURONEXT LISBON/LISBON",
        "IR": "EURONEXT DUBLIN",
        "MI": "EURONEXT MILAN/BORSA ITALIANA/MILAN",
        "OL": "EURONEXT OSLO/OSLO BORS/OSLO",
        "ST": "NASDAQ STOCKHOLM/NASDAQ OMX STOCKHOLM/STOCKHOLM",
        "HE": "NASDAQ HELSINKI/HELSINKI",
        "CO": "NASDAQ COPENHAGEN/COPENHAGEN",
        "IC": "NASDAQ ICELAND",
        "SW": "SIX SWISS EXCHANGE/SIX SWISS",
        "HK": "HONG KONG STOCK EXCHANGE/HONG KONG",
        "AX": "AUSTRALIAN SECURITIES EXCHANGE/SYDNEY",
        "SI": "SINGAPORE EXCHANGE",
        "T": "TOKYO STOCK EXCHANGE/TOKYO",
    }.items()
    for name in names.split("/")
}
"""Names of several words, as press releases write them before a colon."""
