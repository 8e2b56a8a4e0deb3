/** A name as it is shown, and as a login name may spell it: small Latin letters alone. */
export interface Name {
	readonly shown: string;
	readonly latin: string;
}

interface Language {
	readonly given: readonly Name[];
	readonly family: readonly Name[];
}

const letters: Readonly<Record<string, string>> = { ß: "ss", ø: "o", æ: "ae", œ: "oe", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" };

/** `Юлия|yuliya` where the letters are not Latin, `_` for a space. */
const words = (text: string): readonly Name[] =>
	text.split(" ").map((word) => {
		const [shown = "", latin = shown] = word.replaceAll("_", " ").split("|");
		return { shown, latin: latinize(latin) };
	});

/** Real ones of many languages, with the letters that break programs: apostrophes, hyphens, spaces, and a few commas added in `people.ts`. */
export const languages: readonly Language[] = [
	{
		given: words("Alice Oliver Emma George Charlotte Harry Grace Thomas Amelia James Sophie Daniel"),
		family: words("Smith Taylor O'Brien Walker Wright O'Neill Green Hughes Carter-Jones McDonald Bennett Clarke"),
	},
	{
		given: words("Åsa Björn Märta Göran Linnéa Örjan Anna Gösta Malin Håkan Sara Per-Erik"),
		family: words("Åberg Öberg Sjöström Holm Lindqvist Ängström Bäckström Dahl Hägglund Nyström Björk Söderlund"),
	},
	{
		given: words("Jürgen Käthe Günther Sören Brigitte Jörg Heike Matthias Bärbel Uwe Renate Florian"),
		family: words("Müller Schäfer Weiß Größmann von_der_Heide Köhler Krüger Strauß Vogel Jäger Groß Lüdenscheid"),
	},
	{
		given: words("Zoë François Chloé Jérôme Hélène Benoît Anaïs Gaël Noémie Loïc Océane Thaïs"),
		family: words("Lefèvre D'Aboville Bœuf Garçon Dupré L'Hôpital Forêt Noël Périer Saint-Exupéry Brûlé Côté"),
	},
	{
		given: words("José María Begoña Íñigo Núria Álvaro Inés Joaquín Sofía Andrés Lucía Martín"),
		family: words("Muñoz García_López Peña Ibáñez Núñez Gutiérrez Güell Zúñiga Ordóñez Castaño Vázquez Marañón"),
	},
	{
		given: words("Łukasz Żaneta Stanisław Małgorzata Wojciech Święta Józef Grażyna Paweł Agnieszka Michał Zofia"),
		family: words("Wójcik Kowalski Dąbrowski Wiśniewska Żukowski Śliwa Łoś Gałązka Brzęczyszczykiewicz Ćwikła Źrebiec Nowak"),
	},
	{
		given: words("Şule İbrahim Çağla Ömer Gülşen Uğur Ayşe Işıl Barış Zeynep Cem Defne"),
		family: words("Yılmaz Öztürk Çelik Şahin Işık Doğan Güneş Kılıç Aydın Koç Demirbağ Uçar"),
	},
	{
		given: words("Søren Bjørk Kjærsti Håvard Øystein Þórdís Æsa Mikkel Ingrid Rasmus Gro Eiður"),
		family: words("Sørensen Østergård Kjær Þórsson Bjørnstad Ågård Lærke Møller Guðmundsdóttir Holmøy Nygård Ødegård"),
	},
	{
		given: words("Юлия|yuliya Сергей|sergey Анастасия|anastasia Дмитрий|dmitry Ольга|olga Фёдор|fyodor Наталья|natalya Игорь|igor"),
		family: words(
			"Иванова|ivanova Щербаков|shcherbakov Соловьёв|solovyov Кузнецова|kuznetsova Чехов|chekhov Жуков|zhukov Объедков|obedkov",
		),
	},
	{
		given: words("Γιώργος|giorgos Ελένη|eleni Νίκος|nikos Σοφία|sofia Αλέξανδρος|alexandros Δήμητρα|dimitra Ιωάννα|ioanna"),
		family: words("Παπαδόπουλος|papadopoulos Αγγελής|angelis Οικονόμου|oikonomou Βασιλείου|vasileiou Ζήσης|zisis Καρράς|karras"),
	},
	{
		given: words("美咲|misaki 翔太|shota 陽菜|hina 大輔|daisuke 結衣|yui 健一|kenichi さくら|sakura 拓也|takuya"),
		family: words("佐藤|sato 鈴木|suzuki 高橋|takahashi 田中|tanaka 渡辺|watanabe 伊藤|ito 髙島|takashima 﨑山|sakiyama"),
	},
	{
		given: words("伟|wei 芳|fang 娜|na 秀英|xiuying 敏|min 静|jing 磊|lei 洋|yang"),
		family: words("王|wang 李|li 张|zhang 刘|liu 陈|chen 杨|yang 赵|zhao 欧阳|ouyang"),
	},
	{
		given: words("فاطمة|fatima محمد|mohammed ليلى|layla أحمد|ahmed يوسف|yusuf مريم|maryam نور|nour خالد|khaled"),
		family: words("الهاشمي|alhashimi حسين|hussein خوري|khoury منصور|mansour سليمان|suleiman بن_علي|benali حداد|haddad"),
	},
	{
		given: words("Nguyệt Đức Thảo Hùng Phượng Quân Yến Tuấn Linh Hải Ánh Bảo"),
		family: words("Nguyễn Trần Đặng Phạm Võ Lê Hoàng Bùi Đỗ Ngô Dương Lý"),
	},
	{
		given: words("Ruud Femke Daan Sanne Joris Lotte Sjoerd Maaike Bram Jet Wouter Fleur"),
		family: words("de_Vries van_den_Berg 't_Hart van_'t_Hoff Bakker IJsbrand de_Bruijn Jansen ten_Brink Visser van_Oß in_'t_Veld"),
	},
];

export function latinize(text: string): string {
	return text
		.toLowerCase()
		.normalize("NFD")
		.replace(/[^a-z]/g, (letter) => letters[letter] ?? "");
}
