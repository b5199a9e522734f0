"""Words that stand in dates: months and weekdays of many languages, and what only joins the parts. All of them folded (`fold`)."""

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
    "січень/січня лютий/лютого березень/березня квітень/квітня травень/травня червень/червня липень/липня серпень/серпня "
    "вересень/вересня жовтень/жовтня листопад/листопада грудень/грудня",
    "януари/ян февруари март април май юни юли август септември октомври ноември декември",
    # Without the month that is November in Poland and October in Croatia.
    "styczeń/stycznia/sty luty/lutego/lut marzec/marca kwiecień/kwietnia/kwi maj/maja czerwiec/czerwca/cze lipiec/lipca sierpień/sierpnia/sie "
    "wrzesień/września/wrz październik/października/paź - grudzień/grudnia/gru",
    "leden/ledna únor/února březen/března duben/dubna květen/května červen/června červenec/července srpen/srpna září říjen/října listopadu "
    "prosinec/prosince",
    "január/januára február/februára marec/marca apríl/apríla máj/mája jún/júna júl/júla august/augusta september/septembra október/októbra "
    "november/novembra december/decembra",
    "ocak şubat/şub mart nisan/nis mayıs haziran/haz temmuz/tem ağustos/ağu eylül/eyl ekim/eki kasım aralık/ara",
    "ianuarie/ian februarie martie aprilie mai iunie/iun iulie/iul august septembrie octombrie noiembrie/noi decembrie",
    "januar februar marts/mars april maj/mai juni juli august september oktober november desember/des",
    "tammikuu/tammikuuta helmikuu/helmikuuta maaliskuu/maaliskuuta huhtikuu/huhtikuuta toukokuu/toukokuuta kesäkuu/kesäkuuta "
    "heinäkuu/heinäkuuta elokuu/elokuuta syyskuu/syyskuuta lokakuu/lokakuuta marraskuu/marraskuuta joulukuu/joulukuuta",
    "januari februari maret/mar april mei juni juli agustus/agt september oktober november desember/des",
    "Ιανουάριος/Ιανουαρίου/Ιαν Φεβρουάριος/Φεβρουαρίου/Φεβ Μάρτιος/Μαρτίου/Μαρ Απρίλιος/Απριλίου/Απρ Μάιος/Μαΐου/Μαΐ Ιούνιος/Ιουνίου/Ιουν "
    "Ιούλιος/Ιουλίου/Ιουλ Αύγουστος/Αυγούστου/Αυγ Σεπτέμβριος/Σεπτεμβρίου/Σεπ Οκτώβριος/Οκτωβρίου/Οκτ Νοέμβριος/Νοεμβρίου/Νοε "
    "Δεκέμβριος/Δεκεμβρίου/Δεκ",
    "يناير فبراير مارس أبريل مايو يونيو/يونيه يوليو/يوليه أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "ינואר/בינואר פברואר/בפברואר מרץ/במרץ אפריל/באפריל מאי/במאי יוני/ביוני יולי/ביולי אוגוסט/באוגוסט ספטמבר/בספטמבר אוקטובר/באוקטובר "
    "נובמבר/בנובמבר דצמבר/בדצמבר",
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
        "hétfő kedd szerda csütörtök péntek szombat vasárnap "
        "poniedziałek wtorek środa czwartek piątek niedziela pondělí úterý středa čtvrtek pátek neděle "
        "pazartesi salı çarşamba perşembe cuma cumartesi pazar senin selasa rabu kamis jumat sabtu minggu "
        "mar ter qua qui sex wto śro czw pią sob nie pon tir sal çar per cum paz sel rab kam jum sab min "
        "mandag tirsdag lørdag søndag 星期一 星期二 星期三 星期四 星期五 星期六 星期日 星期天 周一 周二 周三 周四 周五 周六 周日 "
        "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日 월요일 화요일 수요일 목요일 금요일 토요일 일요일"
    ).split()
)
BRACKETED = WEEKDAYS | frozenset("月火水木金土日월화수목금토일一二三四五六")
"""What names a weekday where it stands in brackets."""

JOINT = re.compile(
    r"(?:at|on)(?= \w)|[月火水木金土日월화수목금토일](?=,)|(?:am|um|den|kl\.?|klo|le|a|as|a las|as|om|ore|alle|o godz\.|o|ve|v)(?= \d)"
    r"|(?:uhr|o'clock|hrs?|hours|г\.|года?|h)(?![^\W_])"
)
"""What only joins the parts of a folded text."""
