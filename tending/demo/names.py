"""Names for people who do not exist: every pairing is invented, no first name and no family name stands twice."""

from random import Random

_FIRST = """
Ágnes Björn Çağla Dáithí Élodie Fatoumata Grażyna Håkon İbrahim Jürgen Kateřina Łukasz Māra Nguyệt Øyvind Pétur
Quỳnh Renée Šimon Tadeáš Uğur Věra Wiremu Xóchitl Yūko Zoë Aminata Bára Chidiebere Dženana Eamon Françoise Göran
Hélène Ioana Jadwiga Kofi Lívia Marijke Niamh Ósk Paweł Rūta Sławomir Þóra Umut Vítor Wanjirũ Ximena Ýmir Željka Ada
Boubacar Céline Dorottya Enrique Fionnuala Gülşen Hồng Ingeborg João Kęstutis Leïla Mátyás Noémie Olga Pénélope Raúl
Siân Tiên Ursula Vilém Wenceslao Ángela Ciarán Déborah Ebru Ferran Gísli Héctor Ilse Jožef Kaja Lourdes Mélanie
Néstor Örjan Přemysl Ramón Sînziana Tòmas Ülle Violeta Walburga Anaïs Bożena Concepción Dănuț Estève Frøydis Günter
Hülya Ineš Józefa Katalin Lőrinc Miloš Orsolya Petronela Rhiannon Stéphane Toomas Ayşe Bjarki Dóra Gökhan Hjördís
Iñaki Jiří Mónika Özlem Páll Séverine Tünde Zsófia Vasilică Yaël Zdeněk
"""

_FAMILY = """
Ákosfalvi Bjørnstad Çelikkaya Ó'Cealla Delacôte Diarrasouba Gąsieniecka Håvardsen İnceoğlu Jägermeyr Křivohlavá
Łabędowicz Mežaparks Nguyenová Øvrebotn Pétursbur Quispecóndor Renaudière Šimkovič Tvrdohlav Uğurlutaş Věžnická
Wharerangi Xicoténcatl Yamanobe Zählbrecht Adeyinkolá Bártfai Chukwuneme Džaferkić Eochagáin Françonnet Göransbo
Hélouanne Ioniță Jędrzejska Kwabenason Lívanyi Marijnissen Niallagáin Óskbjörn Pawełczuk Rūtenė Sławińczyk Þórkelsen
Umutlubaş Vítorinos Wanjohiru Ximénguez Ýmirsdóttir Željeznov Ådalsvik Boubakarou Célinard Dorogházi Enríquezal
Fionnlagh Gülümser Hồngvân Ingeborsen Joãozal Kęstaitis Leïlabad Mátéfalvi Noémart Olgierdas Pénicaud Raúlbena
Siânwyn Tiênphong Ursprüng Vilémov Wenceslás Ángelsson Beyazıtlı Ciarmhac Débrouillet Ebrulioğlu Ferranbosc Gíslabær
Héctoriz Ilsenbürg Jožefin Kajañari Lourdébat Mélanchard Néstorval Örjanskog Přemyslov Ramónez Sînzescu Tòmasach
Ülleküla Violetșanu Walbürger Anaïstos Bożenkiewicz Concepciel Dănuțescu Estèvenon Frøydlund Günterodt Hülyacık
Inešková Józefczak Katalinfi Lőrincfy Miloševac Nikolínek Orsolyás Petronescu Rhianwen Stéphanopol Toomasson
Úrsulaga Vasilică-Pop Yaëlberg Zdeňkovský Ayşegünlü Bjarkason Dóraházi Gökhansoy Hjördísar Iñakizu Jiříček
Mónikfalvi Özlemiş Pállsen
"""

# Reference, name, mail address, first day as days before the demonstration (None: long ago), supervisor.
THERAPISTS: tuple[tuple[str, str, str, int | None, str], ...] = (
    ("T1", "Dr Ruth Adlerová", "adlerova", None, "T3"),
    ("T2", "Tomasz Wiśniowski", "wisniowski", None, "T3"),
    ("T3", "Dr Siobhán Ní Fhlaithrí", "nifhlaithri", None, ""),
    ("T4", "Léonie Châtelard", "chatelard", None, "T3"),
    ("T5", "Emre Yıldızhan", "yildizhan", 130, "T1"),
    ("T6", "Dr Margrét Sólveigsen", "solveigsen", None, "T3"),
)

NAMES = {ref: name for ref, name, *_ in THERAPISTS}
SUPERVISORS = {ref: supervisor for ref, *_, supervisor in THERAPISTS}


def invented(count: int, random: Random) -> list[tuple[str, str]]:
    """So many different people as (first name, family name). Raises ValueError where there are not that many names."""
    first, family = _FIRST.split(), _FAMILY.split()
    most = min(len(first), len(family))
    if count > most:
        raise ValueError(f"there are names for {most} people only")
    return list(zip(random.sample(first, count), random.sample(family, count), strict=True))
