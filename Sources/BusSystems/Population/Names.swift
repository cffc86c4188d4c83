/// A name in the two languages of the registers.
package struct BilingualName: Hashable, Sendable {
    package let kk: String
    package let ru: String

    package init(_ kk: String, _ ru: String) {
        self.kk = kk
        self.ru = ru
    }

    /// The same spelling in both.
    package init(_ both: String) {
        self.init(both, both)
    }

    package func appending(_ kkEnding: String, _ ruEnding: String) -> BilingualName {
        BilingualName(kk + kkEnding, ru + ruEnding)
    }
}

/// The lists that names of people are put together from. Common given names and surnames; no list of real people.
package enum Names {
    /// Which lists a family draws from and how its patronymics are formed.
    package enum Tradition: Sendable { case kazakh, russian }

    package static func given(_ tradition: Tradition, _ sex: Sex, _ random: inout SeededRandom) -> BilingualName {
        switch (tradition, sex) {
        case (.kazakh, .male): random.pick(kazakhMen)
        case (.kazakh, .female): random.pick(kazakhWomen)
        case (.russian, .male): random.pick(russianMen)
        case (.russian, .female): random.pick(russianWomen)
        }
    }

    /// The surname in its masculine form; `surname(_:for:)` gives the form of one person.
    package static func familyName(_ tradition: Tradition, _ random: inout SeededRandom) -> BilingualName {
        random.pick(tradition == .kazakh ? kazakhFamilies : russianFamilies)
    }

    package static func surname(_ family: BilingualName, for sex: Sex) -> BilingualName {
        sex == .male ? family : family.appending("а", "а")
    }

    package static func patronymic(
        _ tradition: Tradition, father: BilingualName, for sex: Sex
    ) -> BilingualName {
        // Forming one means walking grapheme clusters; the names of the lists are formed once.
        let known = formedPatronymics[father.ru]
        let russian =
            (sex == .male ? known?.son : known?.daughter)
            ?? russianPatronymic(father.ru, sex)
        return tradition == .kazakh
            ? BilingualName(father.kk + (sex == .male ? "ұлы" : "қызы"), russian) : BilingualName(russian)
    }

    private static let formedPatronymics: [String: (son: String, daughter: String)] = Dictionary(
        (kazakhMen + russianMen).map {
            ($0.ru, (russianPatronymic($0.ru, .male), russianPatronymic($0.ru, .female)))
        }, uniquingKeysWith: { first, _ in first })

    private static func russianPatronymic(_ father: String, _ sex: Sex) -> String {
        let stem: String
        if father.hasSuffix("ий") {
            stem = String(father.dropLast(2)) + "ье"
        } else if father.hasSuffix("й") || father.hasSuffix("ь") {
            stem = String(father.dropLast()) + "е"
        } else {
            stem = father + "о"
        }
        return stem + (sex == .male ? "вич" : "вна")
    }

    private static let kazakhMen: [BilingualName] = pairs(
        """
        Нұрлан Нурлан|Ерлан Ерлан|Серік Серик|Бауыржан Бауыржан|Қайрат Кайрат|Асқар Аскар|Мұрат Мурат|Дәурен Даурен
        Айдос Айдос|Нұрсұлтан Нурсултан|Әлихан Алихан|Санжар Санжар|Темірлан Темирлан|Арман Арман|Ержан Ержан
        Жандос Жандос|Қанат Канат|Марат Марат|Болат Болат|Талғат Талгат|Ринат Ринат|Данияр Данияр|Дамир Дамир
        Олжас Олжас|Рүстем Рустем|Азамат Азамат|Бекзат Бекзат|Сәкен Сакен|Ғалым Галым|Төлеген Толеген
        Қуаныш Куаныш|Берік Берик|Жасұлан Жасулан|Мейрам Мейрам|Нұржан Нуржан|Әділ Адил|Айбек Айбек|Медет Медет
        Ілияс Ильяс|Мақсат Максат|Сұлтан Султан|Батырхан Батырхан|Дархан Дархан|Ермек Ермек
        Жомарт Жомарт|Исатай Исатай|Қасым Касым|Рамазан Рамазан|Тимур Тимур
        """)

    private static let kazakhWomen: [BilingualName] = pairs(
        """
        Айгүл Айгуль|Гүлнар Гульнар|Әйгерім Айгерим|Динара Динара|Жанар Жанар|Мәдина Мадина|Сәуле Сауле|Аружан Аружан
        Айжан Айжан|Қарлығаш Карлыгаш|Әсел Асель|Балжан Балжан|Гүлмира Гульмира|Жазира Жазира|Зарина Зарина
        Ләззат Ляззат|Маржан Маржан|Назерке Назерке|Перизат Перизат|Раушан Раушан|Самал Самал|Толғанай Толганай
        Ұлжан Улжан|Шолпан Шолпан|Ақерке Акерке|Томирис Томирис|Дана Дана|Меруерт Меруерт|Сәнім Саним|Алтынай Алтынай
        Бибігүл Бибигуль|Гүлжан Гульжан|Жұлдыз Жулдыз|Іңкәр Инкар|Камила Камила|Мөлдір Молдир|Нұргүл Нургуль
        Роза Роза|Сабина Сабина|Фатима Фатима|Айым Айым|Аяулым Аяулым|Еркежан Еркежан|Індира Индира|Әсем Асем
        """)

    private static let kazakhFamilies: [BilingualName] = pairs(
        """
        Ахметов Ахметов|Оспанов Оспанов|Әбдірахманов Абдрахманов|Сүлейменов Сулейменов|Ысқақов Искаков
        Жұмабаев Жумабаев|Қасымов Касымов|Нұрғалиев Нургалиев|Сәдуақасов Садвакасов|Смағұлов Смагулов
        Бейсенов Бейсенов|Құлмаханов Кулмаханов|Мұқанов Муканов|Әлиев Алиев|Омаров Омаров|Рахымов Рахимов
        Тілеубаев Тлеубаев|Дүйсенбаев Дюсенбаев|Есенов Есенов|Жақсылықов Жаксылыков|Кенжебаев Кенжебаев
        Маханов Маханов|Нұрпейісов Нурпеисов|Өтегенов Утегенов|Серікбаев Серикбаев|Темірханов Темирханов
        Ұзақбаев Узакбаев|Шәріпов Шарипов|Ыбыраев Ибраев|Байжанов Байжанов|Досжанов Досжанов|Ермеков Ермеков
        Жүнісов Жунусов|Исабеков Исабеков|Қалиев Калиев|Лекеров Лекеров|Мусин Мусин|Назаров Назаров|Орынбаев Орынбаев
        Сағынтаев Сагинтаев|Таңатаров Танатаров|Тоқаев Токаев|Хамитов Хамитов|Әшімов Ашимов|Бекмұхамбетов Бекмухамбетов
        Ғабитов Габитов|Көшербаев Кушербаев|Мырзахметов Мырзахметов|Рысқұлов Рыскулов|Сейітов Сеитов
        """)

    private static let russianMen: [BilingualName] = pairs(
        """
        Александр|Сергей|Андрей|Алексей|Иван|Владимир|Николай|Михаил|Юрий|Виктор|Евгений|Олег|Игорь|Артём|Максим
        Денис|Роман|Константин|Вадим|Виталий|Антон|Егор|Кирилл|Степан|Василий|Анатолий|Борис|Григорий|Леонид
        """)

    private static let russianWomen: [BilingualName] = pairs(
        """
        Елена|Ольга|Наталья|Татьяна|Ирина|Светлана|Анна|Екатерина|Мария|Людмила|Юлия|Марина|Галина|Оксана|Виктория
        Анастасия|Дарья|Ксения|Алина|Валентина|Вера|Надежда|Любовь|Нина|Лариса|Полина|Софья|Евгения|Тамара|Яна
        """)

    private static let russianFamilies: [BilingualName] = pairs(
        """
        Иванов|Петров|Кузнецов|Смирнов|Попов|Соколов|Лебедев|Козлов|Новиков|Морозов|Волков|Зайцев|Павлов|Семёнов|Голубев
        Виноградов|Богданов|Воробьёв|Фёдоров|Михайлов|Беляев|Тарасов|Белов|Комаров|Орлов|Киселёв|Макаров|Андреев|Ковалёв
        Ильин|Гусев|Титов|Кузьмин|Кудрявцев|Баранов|Куликов|Алексеев|Степанов|Яковлев|Сорокин
        """)

    /// `kk ru|kk ru` or `both|both`, over several lines.
    private static func pairs(_ list: String) -> [BilingualName] {
        list.split(whereSeparator: { $0 == "|" || $0 == "\n" }).map { entry in
            let words = entry.split(separator: " ")
            return words.count == 2 ? BilingualName(String(words[0]), String(words[1])) : BilingualName(String(entry))
        }
    }
}
