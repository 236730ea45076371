"""Posts in many languages, written for these tests: title, paragraphs, a summary in other words."""
# ruff: noqa: RUF001  texts in many languages

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post."""

    language: str
    title: str
    paragraphs: tuple[str, ...]
    summary: str
    """What its feed says, in other words than the page."""
    note: str
    """A post of one line."""


POSTS = (
    Post(
        language="en",
        title="The orchard after the storm",
        paragraphs=(
            (
                "We walked out at seven, before anybody else was up, to count the trees that were still standing along the "
                "eastern wall."
            ),
            (
                "Three of the old pears had gone over in the night, their roots holding plates of clay as wide as a kitchen "
                "table, and the wasps had already found the bruised fruit."
            ),
            (
                "My grandfather planted them in a spring so wet that he needed boards to cross the field. He never believed "
                "they would bear, and then they bore for sixty years."
            ),
            (
                "We saved what we could carry in feed sacks. Tomorrow the neighbour brings his saw, and on Sunday there will "
                "be pear butter for the whole street."
            ),
        ),
        summary="Notes from a rough week: what fell, who helped, and why I am planting quinces in November instead of "
        "replacing everything with dwarf varieties from the garden centre catalogue.",
        note="Fog on the canal this morning, and one very loud heron.",
    ),
    Post(
        language="de",
        title="Der letzte Bäcker im Tal",
        paragraphs=(
            (
                "Um halb vier brennt in der Backstube schon Licht, und wer vorbeigeht, riecht das Sauerteigbrot bis hinunter "
                "zur Brücke."
            ),
            (
                "Herr Amrein knetet seit einundvierzig Jahren denselben Teig, und er sagt, die Hände wüssten längst mehr als "
                "der Kopf."
            ),
            (
                "Seine Tochter hat in Basel Maschinenbau studiert und den alten Ofen vermessen, als wäre er eine Dampflokomotive "
                "im Museum."
            ),
            (
                "Im Frühling schließt er. Wer dann noch Roggenbrot möchte, muss über den Pass fahren oder selber lernen, wie "
                "lange ein Teig ruhen will."
            ),
        ),
        summary="Ein Besuch in einer Werkstatt, die es bald nicht mehr gibt, dazu drei Rezepte, eine Wegbeschreibung und "
        "ein Aufruf an alle Leserinnen, alte Fotografien aus den fünfziger Jahren einzuschicken.",
        note="Heute Schnee bis auf tausend Meter, die Kraniche sind trotzdem geblieben.",
    ),
    Post(
        language="fr",
        title="Une semaine sans horloge",
        paragraphs=(
            (
                "J'ai rangé la pendule dans l'armoire dimanche soir, derrière les draps, pour ne plus entendre son petit "
                "battement sec."
            ),
            (
                "Le premier jour, je me suis levé trop tôt, puis trop tard, et la boulangère a ri en me voyant arriver devant "
                "une vitrine vide."
            ),
            (
                "Vers jeudi, la lumière sur le mur de la cuisine suffisait : quand elle touchait la casserole de cuivre, il "
                "était temps de mettre la soupe."
            ),
            "Je la remettrai sans doute en marche, mais pas dans la chambre, et jamais plus pendant les vendanges.",
        ),
        summary="Petite expérience d'automne, racontée aux amis du café, avec quelques conseils pour ceux qui voudraient "
        "essayer chez eux sans fâcher leurs employeurs ni manquer le dernier autobus.",
        note="Premier gel, les dahlias sont noirs.",
    ),
    Post(
        language="es",
        title="El faro que aprendió a callar",
        paragraphs=(
            (
                "Durante noventa años la sirena del faro despertó a todo el pueblo cada vez que la niebla subía desde la "
                "desembocadura."
            ),
            (
                "El invierno pasado un técnico llegó con una maleta pequeña, desatornilló tres cables y se marchó antes de "
                "comer."
            ),
            (
                "Los perros tardaron semanas en acostumbrarse; se sentaban en el muelle mirando la linterna como quien espera "
                "una respuesta."
            ),
            (
                "Ahora los pescadores llevan pantallas luminosas, pero mi tía todavía se levanta cuando huele la niebla y pone "
                "café para nadie."
            ),
        ),
        summary="Crónica breve de un oficio perdido, con entrevistas a dos antiguos guardianes, mapas dibujados a mano y "
        "una receta de bizcocho que apareció dentro de un cuaderno oficial.",
        note="Llueve sobre las barcas y nadie tiene prisa.",
    ),
    Post(
        language="pt",
        title="A costureira do terceiro andar",
        paragraphs=(
            (
                "Dona Lurdes cose junto à janela desde antes de o prédio ter elevador, e os botões caem na rua como chuva "
                "miúda."
            ),
            "As crianças guardam-nos em frascos de compota e trocam os de madrepérola por berlindes e cromos repetidos.",
            (
                "Quando lhe perguntei quantos vestidos fez, apontou para a calçada e respondeu que bastava contar as noivas "
                "felizes."
            ),
            "Na sexta-feira entreguei-lhe o casaco do meu pai; devolveu-o com um bolso secreto e um bilhete dobrado.",
        ),
        summary="Retrato de uma vizinha extraordinária, acompanhado de fotografias antigas do bairro, moradas de oficinas "
        "que resistem e um pequeno glossário de pontos, linhas e bainhas.",
        note="O mar hoje está cor de chumbo e cheira a laranjas.",
    ),
    Post(
        language="ru",
        title="Как мы чинили мельницу",
        paragraphs=(
            "Весной река поднялась выше обычного и унесла два нижних бревна, на которых держалось колесо старой мельницы.",
            "Дед отыскал в сарае чертёж, нарисованный углём на обороте календаря, и мы три вечера спорили, где у него верх.",
            "Соседи принесли верёвки, чай и кота, который первым прошёл по новому настилу и остался недоволен.",
            "К августу колесо повернулось, заскрипело и пошло; мука получилась серая, тёплая и пахла дождём.",
        ),
        summary="Рассказ о деревенском лете, о плотниках и инструментах, о том, почему дубовые клинья лучше железных болтов, "
        "и о людях, которые приезжают помогать просто так.",
        note="Первый лёд на пруду, утки ходят пешком.",
    ),
    Post(
        language="ja",
        title="古い時計屋の午後",
        paragraphs=(
            "商店街のはずれにある時計屋では、二十三個の柱時計がそれぞれ少しずつ違う時刻を指している。",
            "店主の小林さんは、正しい時刻を知りたければ駅へ行けばいい、ここでは音を聞いてほしいと笑った。",
            "雨の日には客が来ないので、彼は真鍮の歯車を一枚ずつ布で磨き、窓辺に並べて乾かしている。",
            "帰り際に祖母の腕時計を預けた。三週間後に戻ってきた時計は、なぜか少しだけ遅れて進むようになった。",
        ),
        summary="商店街を歩いた記録です。写真を八枚載せました。次回は銭湯の煙突と豆腐屋の朝について書く予定ですので、"
        "どうぞお楽しみに。感想のお手紙も歓迎します。",
        note="金木犀の匂いがして、秋だと気づいた。",
    ),
    Post(
        language="zh",
        title="屋顶上的菜园",
        paragraphs=(
            "去年春天，我和邻居老陈把旧浴缸搬上屋顶，填满河泥和稻壳，种下第一排辣椒与豆角。",
            "夏天的雷雨冲走了一半泥土，老陈却说植物比人更懂得忍耐，只要根还在就不算输。",
            "到了九月，豆角爬满晾衣绳，麻雀在番茄之间筑巢，楼下的孩子每天放学都来数花。",
            "最后一次收获那天，我们煮了一大锅汤，请整栋楼的人端着自己的碗上来吃。",
        ),
        summary="城市种植的第三篇笔记，介绍排水、肥料和防鸟网的做法，并附上费用清单、失败经验以及几位读者寄来的种子照片。",
        note="今晚月亮很低，好像挂在起重机上。",
    ),
    Post(
        language="ko",
        title="할머니의 장독대",
        paragraphs=(
            "마당 끝 장독대에는 항아리가 열두 개 있었고, 할머니는 항아리마다 이름을 붙여 아침 인사를 건네셨다.",
            "비가 오는 날이면 우리는 우산도 없이 뛰어나가 뚜껑을 덮었고, 늦은 사람은 마늘을 깠다.",
            "도시로 이사하던 해 겨울에 가장 작은 항아리 하나만 담요에 싸서 기차에 태웠다.",
            "지금도 베란다에 놓인 그 항아리에서는 여름 햇볕과 오래된 흙 냄새가 천천히 올라온다.",
        ),
        summary="가족 이야기를 모은 연재의 다섯 번째 글입니다. 된장 담그는 순서와 소금 비율, 그리고 사촌이 그려 준 마당 "
        "지도를 함께 실었습니다.",
        note="첫눈이 왔는데 아무도 뛰지 않았다.",
    ),
    Post(
        language="ar",
        title="مقهى على حافة الصحراء",
        paragraphs=(
            "يفتح العم سالم مقهاه قبل شروق الشمس بساعة، فيصل سائقو الشاحنات وعيونهم مليئة بالرمل والنعاس.",
            "على الجدار خريطة قديمة رسمها جندي مجهول، وعليها أسماء آبار جفت وقرى لم يعد أحد يذكرها.",
            "جلست قرب النافذة أكتب رسالة لأختي، فجاءت عنزة صغيرة وأكلت طرف الورقة قبل أن أنهي السطر الأول.",
            "حين عدت بعد عام كان المقهى مغلقا، لكن رائحة الهيل ظلت عالقة في الخشب كأنها تنتظر الزبائن.",
        ),
        summary="حكاية من رحلة طويلة نحو الجنوب، مع نصائح للمسافرين عن الطرق والمياه وأماكن المبيت، وقائمة بأسماء من "
        "ساعدونا دون أن يطلبوا شيئا.",
        note="مطر خفيف على السطح، والقط لا يهتم.",
    ),
    Post(
        language="hi",
        title="नदी किनारे की पाठशाला",
        paragraphs=(
            "बरगद के नीचे लगने वाली उस पाठशाला में न दीवारें थीं, न घंटी, केवल एक पुराना श्यामपट्ट और बारह बच्चे थे।",
            "गुरुजी नाव से आते थे और जिस दिन पानी चढ़ जाता, हम रेत पर लकड़ी से पहाड़े लिखते रहते।",
            "एक बार बाढ़ में श्यामपट्ट बह गया, तब गाँव के बढ़ई ने अपना दरवाज़ा उतारकर दे दिया।",
            "आज वहाँ पुल बन गया है, मगर बरगद की जड़ों में अब भी चाक के सफ़ेद टुकड़े मिल जाते हैं।",
        ),
        summary="बचपन की यादों पर आधारित लेखमाला का नया अंक, जिसमें पुराने सहपाठियों के पत्र, कुछ चित्र और अगले महीने की "
        "यात्रा का कार्यक्रम शामिल है।",
        note="सुबह की चाय और पहली बारिश।",
    ),
    Post(
        language="th",
        title="ตลาดน้ำยามเช้า",
        paragraphs=(
            "เรือของป้าแดงออกจากท่าก่อนไก่ขัน บรรทุกมะม่วงสามเข่งกับหม้อก๋วยเตี๋ยวที่ยังร้อนอยู่",
            "หมอกลอยต่ำจนมองไม่เห็นสะพาน ได้ยินแต่เสียงพายกระทบน้ำและเสียงหัวเราะจากอีกฝั่ง",
            "พอแดดออก คลองทั้งสายก็กลายเป็นสีทอง เด็กชายคนหนึ่งกระโดดลงน้ำทั้งชุดนักเรียน",
            "ฉันซื้อขนมครกกลับบ้านหนึ่งกระทง แล้วกินหมดก่อนถึงประตูรั้วทุกครั้ง",
        ),
        summary="บันทึกการเดินทางสุดสัปดาห์ พร้อมแผนที่ ตารางเวลาเรือโดยสาร ราคาที่พัก และคำแนะนำสำหรับคนที่แพ้อาหารทะเล",
        note="ฝนตกทั้งคืน กบร้องไม่หยุด",
    ),
    Post(
        language="tr",
        title="Kasabanın son saatçisi",
        paragraphs=(
            "Dükkânın camında hâlâ babasının elle yazdığı tabela asılı, harflerin yarısı güneşten silinmiş durumda.",
            "Hikmet Usta sabahları önce serçelere ekmek ufalıyor, sonra tezgâhın başına geçip büyütecini gözüne takıyor.",
            "Getirdiğim cep saatini dinledi, gülümsedi ve içinde yorgun bir cırcır böceği olduğunu söyledi.",
            "İki hafta sonra aldığımda saat çalışıyordu; para yerine bir kavanoz vişne reçeli kabul etti.",
        ),
        summary="Zanaatkârlar dizisinin dördüncü bölümü: eski çarşı, kaybolan meslekler, okurlardan gelen mektuplar ve "
        "önümüzdeki ay yapılacak yürüyüşün ayrıntılı programı.",
        note="Rüzgâr bugün poyraz, martılar içeride.",
    ),
    Post(
        language="pl",
        title="Zima w starej stacji",
        paragraphs=(
            "Ostatni pociąg zatrzymał się tutaj jedenaście lat temu, a zegar na peronie wciąż pokazuje kwadrans po piątej.",
            "Kupiliśmy budynek razem z piecem kaflowym, gniazdem jaskółek i skrzynią pełną niewykorzystanych biletów.",
            "Pierwszej nocy mróz pękał w ścianach tak głośno, że córka zapytała, czy ktoś jeszcze czeka na odjazd.",
            "Wiosną posadzimy jabłonie wzdłuż torów, a w poczekalni otworzymy bibliotekę dla sąsiednich wiosek.",
        ),
        summary="Dziennik remontu, odcinek drugi: kosztorys, pomyłki, znalezione skarby oraz lista narzędzi, które pożyczyli "
        "nam zupełnie obcy ludzie z okolicy.",
        note="Szron na oknach, kot na kaloryferze.",
    ),
    Post(
        language="he",
        title="הגינה של סבא יעקב",
        paragraphs=(
            "בכל יום שישי היה סבא יורד לגינה עם כובע קש ומספריים, ושואל את עצי הלימון מה שלומם השבוע.",
            "הוא לימד אותי להקשיב לאדמה אחרי הגשם, כי רק אז היא מספרת היכן היא צמאה.",
            "כשמכרנו את הבית לקחתי ייחור אחד בתוך עיתון רטוב, ושתלתי אותו במרפסת בקומה הרביעית.",
            "הקיץ הופיע הפרי הראשון, קטן וחמוץ, ובכל זאת הזמנתי את כל השכנים לטעום.",
        ),
        summary="פרק נוסף ביומן המשפחה, עם צילומים מהשכונה הישנה, מתכון לריבה והזמנה למפגש קוראים בספרייה העירונית בחודש הבא.",
        note="רוח מזרחית, והחתול ישן על המקלדת.",
    ),
    Post(
        language="fi",
        title="Järven viimeinen lossi",
        paragraphs=(
            "Lossi kulkee salmen yli kuusi kertaa päivässä, ja kuljettaja tuntee jokaisen auton moottorin äänestä.",
            "Syksyllä siltaan saatiin rahat, joten laiturille ilmestyi valkoisia paaluja ja nuori mittausinsinööri.",
            "Kylän vanhimmat istuvat penkillä ja kiistelevät siitä, kuka muistaa ajan ennen vaijeria.",
            "Viimeisenä iltana soitetaan haitaria, keitetään kahvia ja päästetään köysi irti yhdessä.",
        ),
        summary="Kertomus muuttuvasta maisemasta, mukana haastatteluja, karttapiirroksia sekä ohjeita niille, jotka haluavat "
        "osallistua talkoisiin ensi keväänä.",
        note="Ensimmäinen jää kesti linnun.",
    ),
)
