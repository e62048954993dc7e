/** Passwords of eight characters and more that lead every list of leaked ones. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `123456789 12345678 1234567890 123123123 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qazwsxedc q1w2e3r4 q1w2e3r4t5 zaq12wsx zaq1zaq1
1qazxsw2 asdf1234 qwer1234 1234qwer abcd1234 1234abcd a1b2c3d4 aa123456 a123456789 123456789a 12341234 11223344
112233445566 123321123 147258369 159753456 789456123 741852963 987654321 0987654321 00000000 11111111 88888888
12344321 87654321 102030405 10203040 12121212 13131313 21212121 31415926 314159265 20202020 password password1
password12 password123 password1234 passw0rd p@ssw0rd p@ssword pa$$word pass1234 passpass 1password mypassword
changeme changeme1 letmein1 letmein123 welcome1 welcome123 iloveyou iloveyou1 iloveyou2 qwertyuiop qwerty123 qwerty12
qwerty1234 qwertyui asdfghjkl asdfasdf asdfghjk zxcvbnm1 zxcvbnm123 1234567q q12345678 football football1 baseball
baseball1 basketball superman superman1 batman123 spiderman starwars1 pokemon1 pokemon123 princess princess1 sunshine
sunshine1 sunshine123 monkey123 dragon123 shadow123 master123 michael1 jennifer jordan23 charlie1 computer internet
whatever trustno1 trustno1! blink182 liverpool liverpool1 chelsea1 arsenal1 manchester barcelona realmadrid juventus
samsung1 samsung123 google123 facebook1 linkedin linkedin1 myspace1 minecraft fortnite roblox123 playstation nintendo
november december september february january1 summer2023 summer2024 summer2025 winter2023 winter2024 winter2025
spring2024 spring2025 autumn2024 autumn2025 monday123 friday123 admin123 admin1234 administrator root1234 toor1234
test1234 test12345 testtest testing1 testing123 guest123 demo1234 user1234 default1 secret123 secret12 access14
access123 login123 hello123 hellohello helloworld lovelove loveyou1 forever1 friends1 family123 freedom1 freedom123
jesus123 jesuschrist godisgood blessed1 angel123 babygirl babygirl1 beautiful butterfly chocolate cookie123 snoopy123
elephant dolphins scorpion mustang1 corvette ferrari1 porsche1 mercedes yamaha123 harley123 einstein victoria alexander
alexandra elizabeth christian christopher jonathan benjamin nicholas veronica charlotte isabella gabriela fernando
francisco cristina patricia valentina santiago passwort passwort1 hallo123 schatz123 ichliebedich motdepasse azertyuiop
azerty123 jetaime123 contrasena contrasena1 teamo123 senha123 parola123 wachtwoord welkom01 welkom123 qwe123qwe
qweasdzxc qweqweqwe asdasdasd asd123asd zxczxczxc zxcvbnm, 1a2b3c4d 1z2x3c4v qaz123wsx !qaz2wsx 1qaz@wsx 1qaz!qaz
correcthorsebatterystaple startrek1 matrix123 ncc1701d thx11381 mypass123 mypasswd newpass1 newpassword temp1234
temppass temporary docket123 docketdocket company1 company123 business1 manager1 office365 microsoft windows10 windows11`
    .split(/\s+/)
    .filter((word) => word !== ""),
);

/** Words that stay easy to guess whatever digits and marks stand around them. */
export const commonWords: ReadonlySet<string> = new Set(
  `password passwort passw passwd motdepasse contrasena senha parola qwerty qwertz azerty asdf asdfgh welcome welkom
willkommen letmein iloveyou admin administrator root test testing guest demo user default secret changeme login hello
hallo docket summer winter spring autumn monday sunshine princess football baseball monkey dragon superman master
company`
    .split(/\s+/)
    .filter((word) => word !== ""),
);
