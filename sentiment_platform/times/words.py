"""Words that stand in dates: months and weekdays of ten languages, and what only joins the parts. All of them folded (`fold`)."""

import re
import unicodedata

# Signs that NFKC leaves alone: minus and hyphens of typography, as an offset or a date has them.
_SIGNS = str.maketrans("\u2212\u2010\u2011\u202f\u00a0\u2009", "---   ")
_DIGIT = re.compile(r"\d")


def fold(text: str) -> str:
    """Lower case, without accents, with ASCII digits and single blanks: `١٤ Août` is `14 aout`."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text.translate(_SIGNS))
        text = unicodedata.normalize("NFKC", "".join(mark for mark in plain if unicodedata.category(mark) not in ("Mn", "Cf")))
        text = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    return " ".join(text.lower().split())


def _table(*languages: str) -> dict[str, int]:
    """Word -> its number from 1; each language lists its words in order, spellings of one joined by a slash."""
    numbered = [
        (word, number)
        for words in languages
        for number, spellings in enumerate(words.split(), 1)
        for word in spellings.split("/")
    ]
    table = {fold(word): number for word, number in numbered}
    if any(table[fold(word)] != number for word, number in numbered):
        raise AssertionError("a word of two languages stands for two numbers")
    return table


MONTHS = _table(
    "january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sep/sept october/oct november/nov december/dec",
    "januar/jänner/jan februar/feber/feb märz/mär/mrz april/apr mai juni/jun juli/jul august/aug september/sep/sept oktober/okt november/nov "
    "dezember/dez",
    "janvier/janv février/févr/fév mars avril/avr mai juin juillet/juil août septembre/sept octobre/oct novembre/nov décembre/déc",
    "enero/ene febrero/feb marzo/mar abril/abr mayo/may junio/jun julio/jul agosto/ago septiembre/setiembre/sep octubre/oct noviembre/nov "
    "diciembre/dic",
    "gennaio/gen febbraio/feb marzo/mar aprile/apr maggio/mag giugno/giu luglio/lug agosto/ago settembre/set ottobre/ott novembre/nov "
    "dicembre/dic",
    "janeiro/jan fevereiro/fev março/mar abril/abr maio/mai junho/jun julho/jul agosto/ago setembro/set outubro/out novembro/nov dezembro/dez",
    "januari/jan februari/feb maart/mrt april/apr mei juni/jun juli/jul augustus/aug september/sep oktober/okt november/nov december/dec",
    "januari/jan februari/feb mars april/apr maj juni/jun juli/jul augusti/aug september/sep oktober/okt november/nov december/dec",
    "январь/января/янв февраль/февраля/фев март/марта/мар апрель/апреля/апр май/мая июнь/июня/июн июль/июля/июл август/августа/авг "
    "сентябрь/сентября/сен октябрь/октября/окт ноябрь/ноября/ноя декабрь/декабря/дек",
    "január/jan február/febr március/márc április/ápr május/máj június/jún július/júl augusztus/aug szeptember/szept október/okt november/nov "
    "december/dec",
)

WEEKDAYS = frozenset(
    fold(
        "monday mon tuesday tue tues wednesday wed thursday thu thur thurs friday fri saturday sat sunday sun "
        "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sa sonnabend sonntag so "
        "lundi lun mardi mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim "
        "lunes martes miércoles mié jueves jue viernes vie sábado sáb domingo dom "
        "lunedì martedì mercoledì giovedì gio venerdì sabato domenica segunda terça quarta quinta sexta feira "
        "maandag ma dinsdag woensdag wo donderdag vrijdag vr zaterdag za zondag zo "
        "måndag mån tisdag tis onsdag ons torsdag tors tor fredag fre lördag lör söndag sön "
        "понедельник пн вторник вт среда ср четверг чт пятница пт суббота сб воскресенье вс "
        "hétfő kedd szerda csütörtök péntek szombat vasárnap"
    ).split()
)

JOINT = re.compile(r"(?:at|on)(?= \w)|(?:am|um|den|kl\.?|le|a|a las)(?= \d)|uhr|o'clock")
"""What only joins the parts of a folded text."""
