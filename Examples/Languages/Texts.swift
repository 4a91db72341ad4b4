/// The first articles of the Universal Declaration of Human Rights (United Nations, 1948).
let texts = [
  "English": """
  All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should \
  act towards one another in a spirit of brotherhood. Everyone is entitled to all the rights and freedoms set forth in \
  this Declaration, without distinction of any kind. Everyone has the right to life, liberty and security of person. No \
  one shall be held in slavery or servitude. Slavery and the slave trade shall be prohibited in all their forms. No one \
  shall be subjected to torture or to cruel, inhuman or degrading treatment or punishment. Everyone has the right to \
  recognition everywhere as a person before the law.
  """,
  "German": """
  Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen \
  einander im Geist der Brüderlichkeit begegnen. Jeder hat Anspruch auf die in dieser Erklärung verkündeten Rechte und \
  Freiheiten ohne irgendeinen Unterschied. Jeder hat das Recht auf Leben, Freiheit und Sicherheit der Person. Niemand darf \
  in Sklaverei oder Leibeigenschaft gehalten werden. Sklaverei und Sklavenhandel sind in allen ihren Formen verboten. \
  Niemand darf der Folter oder grausamer, unmenschlicher oder erniedrigender Behandlung oder Strafe unterworfen werden. \
  Jeder hat das Recht, überall als rechtsfähig anerkannt zu werden.
  """,
  "French": """
  Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience et \
  doivent agir les uns envers les autres dans un esprit de fraternité. Chacun peut se prévaloir de tous les droits et de \
  toutes les libertés proclamés dans la présente Déclaration, sans distinction aucune. Tout individu a droit à la vie, à la \
  liberté et à la sûreté de sa personne. Nul ne sera tenu en esclavage ni en servitude. L'esclavage et la traite des \
  esclaves sont interdits sous toutes leurs formes. Nul ne sera soumis à la torture, ni à des peines ou traitements \
  cruels, inhumains ou dégradants. Chacun a le droit à la reconnaissance en tous lieux de sa personnalité juridique.
  """,
  "Spanish": """
  Todos los seres humanos nacen libres e iguales en dignidad y derechos. Dotados como están de razón y conciencia, deben \
  comportarse fraternalmente los unos con los otros. Toda persona tiene todos los derechos y libertades proclamados en \
  esta Declaración, sin distinción alguna. Todo individuo tiene derecho a la vida, a la libertad y a la seguridad de su \
  persona. Nadie estará sometido a esclavitud ni a servidumbre. La esclavitud y la trata de esclavos están prohibidas en \
  todas sus formas. Nadie será sometido a torturas ni a penas o tratos crueles, inhumanos o degradantes. Todo ser humano \
  tiene derecho, en todas partes, al reconocimiento de su personalidad jurídica.
  """,
]
