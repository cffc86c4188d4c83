/// The twenty regions, with the codes other registers know them by.
package struct Region: Sendable {
    /// First two digits of every KATO code of the region.
    package let kato: Int
    /// First group of every cadastral number of the region. The land cadastre counts regions by itself; the codes of
    /// the regions founded in 2022 and of Shymkent are a modelling choice.
    package let cadastre: Int
    package let localities: [BilingualName]
}

package enum Regions {
    package static let all: [Region] = [
        region(10, 23, "Семей|Аягөз Аягоз|Курчатов"),
        region(11, 1, "Көкшетау Кокшетау|Щучинск|Степногорск"),
        region(15, 2, "Ақтөбе Актобе|Хромтау|Шалқар Шалкар"),
        region(19, 3, "Қонаев Конаев|Талғар Талгар|Қаскелең Каскелен"),
        region(23, 4, "Атырау|Құлсары Кульсары|Доссор"),
        region(27, 8, "Орал Уральск|Ақсай Аксай|Жәнібек Жанибек"),
        region(31, 6, "Тараз|Шу|Қордай Кордай"),
        region(33, 24, "Талдықорған Талдыкорган|Текелі Текели|Жаркент"),
        region(35, 9, "Қарағанды Караганда|Теміртау Темиртау|Балқаш Балхаш"),
        region(39, 12, "Қостанай Костанай|Рудный|Лисаковск"),
        region(43, 10, "Қызылорда Кызылорда|Арал Аральск|Байқоңыр Байконыр"),
        region(47, 13, "Ақтау Актау|Жаңаөзен Жанаозен|Бейнеу"),
        region(55, 14, "Павлодар|Екібастұз Экибастуз|Ақсу Аксу"),
        region(59, 15, "Петропавл Петропавловск|Мамлютка|Тайынша"),
        region(61, 19, "Түркістан Туркестан|Кентау|Арыс Арысь"),
        region(62, 25, "Жезқазған Жезказган|Сәтбаев Сатпаев|Қаражал Каражал"),
        region(63, 5, "Өскемен Усть-Каменогорск|Риддер|Алтай"),
        region(71, 21, "Астана|Астана|Астана"),
        region(75, 20, "Алматы|Алматы|Алматы"),
        region(79, 22, "Шымкент|Шымкент|Шымкент"),
    ]

    package static let streets: [BilingualName] = [
        ("Абай", "Абая"), ("Әл-Фараби", "Аль-Фараби"), ("Достық", "Достык"), ("Тәуелсіздік", "Тауелсыздык"),
        ("Қабанбай батыр", "Кабанбай батыра"), ("Бөгенбай батыр", "Богенбай батыра"), ("Сәтбаев", "Сатпаева"),
        ("Жамбыл", "Жамбыла"), ("Республика", "Республики"), ("Гоголь", "Гоголя"), ("Құрманғазы", "Курмангазы"),
        ("Желтоқсан", "Желтоксан"), ("Байтұрсынұлы", "Байтурсынулы"), ("Әуезов", "Ауэзова"), ("Шевченко", "Шевченко"),
        ("Бейбітшілік", "Мира"), ("Мәңгілік Ел", "Мангилик Ел"), ("Наурыз", "Наурыз"), ("Қазыбек би", "Казыбек би"),
        ("Төле би", "Толе би"), ("Сейфуллин", "Сейфуллина"), ("Мәметова", "Маметовой"), ("Панфилов", "Панфилова"),
        ("Орталық", "Центральная"),
    ].map { BilingualName($0.0, $0.1) }

    /// KATO code of a locality, 9 digits: region, number of the locality from 10, then the class "10000" of a town.
    /// Only the region's two digits are real; the rest is a modelling choice.
    package static func kato(_ region: Int, locality: Int) -> String {
        padded(all[region].kato, 2) + padded(10 + locality, 2) + "10000"
    }

    private static func region(_ kato: Int, _ cadastre: Int, _ localities: String) -> Region {
        let names = localities.split(separator: "|").map { entry in
            let words = entry.split(separator: " ")
            return words.count == 2 ? BilingualName(String(words[0]), String(words[1])) : BilingualName(String(entry))
        }
        return Region(kato: kato, cadastre: cadastre, localities: names)
    }
}
