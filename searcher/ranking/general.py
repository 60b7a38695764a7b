"""General questions in our own words, about things of which hardly any collection of texts or FAQ has an answer.

What an index scores for them is what it scores for nothing: `GENERAL` by `TOPICS`, in English but for some in German,
French, Spanish and Chinese. Whoever uses them drops those that the index may answer after all.
"""

__all__ = ["GENERAL", "TOPICS"]

TOPICS = {
    name: tuple(line.strip() for line in lines.strip().splitlines())
    for name, lines in {
        "sports": """
            who won the world cup in 1998
            How many players does a volleyball team have on the court?
            best tennis racket for beginners
            My brother says that the goalkeeper may not touch the ball with his hands outside the box, is he right?
            did the home side win last night
            Explain the offside rule to me as if I had never seen a match
            marathon world record
            how do i improve my backhand
            Welcher Verein ist deutscher Rekordmeister?
            Why do cyclists shave their legs before a long race?
        """,
        "cooking": """
            how long do I boil an egg so that the yolk stays soft
            banana bread recipe
            Can I use yoghurt instead of buttermilk in pancakes?
            what goes well with roast lamb
            my sauce is too salty, how can I save it
            comment faire une pâte à crêpes sans grumeaux
            Which rice do I need for risotto?
            knife sharpening angle
            is it safe to eat chicken that was left out overnight
        """,
        "eating out": """
            best pizza in town
            find me a quiet place for dinner tonight
            Is there a good sushi restaurant near here that is open on Mondays?
            how much do you tip a waiter in Italy
            book a table for four at eight
            coffee shops nearby
            dónde puedo comer tapas por aquí
            what wine should I order with grilled fish
        """,
        "travel": """
            cheap flights to Lisbon
            We are two adults and a baby and want to spend a week by a lake at the end of June, where should we go?
            Do I need a visa for Vietnam if I only stay two weeks?
            what to see in Prague in one day
            how far is it from Paris to Lyon by train
            which side of the road do they drive on in Malta
            pack list for a week of hiking
            When does the last ferry leave for the island?
            Wo kann man im Winter warm Urlaub machen?
            cuál es la mejor época para viajar a Perú
        """,
        "astronomy": """
            How many moons does Saturn have?
            when is the next solar eclipse
            why do stars twinkle but planets hardly
            distance to the nearest galaxy
            What happens to a clock that falls into a black hole?
            who was the first woman in space
            is pluto a planet again
            pourquoi la lune est-elle rouge pendant une éclipse
            meteor showers in august
        """,
        "health": """
            how to get rid of hiccups
            I have had a headache for three days and painkillers only help for an hour or so, should I worry
            What are the symptoms of iron deficiency?
            normal blood pressure for a man of fifty
            home remedies for a sore throat
            how many hours should a teenager sleep
            Is it bad to crack your knuckles all the time?
            Was hilft gegen Muskelkater?
            my left eye keeps twitching
        """,
        "fitness": """
            how many push-ups should I do a day
            six week plan to run ten kilometres
            What muscles does rowing train?
            stretching exercises for a stiff neck
            do squats hurt your knees
            is it better to train in the morning or at night
        """,
        "pets": """
            why does my cat knead my blanket
            Our new kitten hides under the sofa all day and only comes out at night, how do I make her trust us?
            How often should I bathe a labrador?
            names for a female rabbit
            can dogs eat grapes
            my budgie has stopped singing
            What is the life expectancy of a guinea pig?
            puppy bites everything, what can I do
            combien de fois par jour nourrir un chaton
        """,
        "animals": """
            how fast can a cheetah run
            Do bats really hang upside down when they give birth?
            largest snake ever found
            what do hedgehogs eat in winter
            how do bees find their way back home
            are there still wolves in Spain
            difference between a crocodile and an alligator
            企鹅为什么不会飞
        """,
        "gardening": """
            when should I prune my roses
            yellow leaves on tomato plants
            How do I keep slugs away from lettuce without poison?
            what grows well in the shade of a wall
            do hydrangeas need lime
            how deep do tulip bulbs go
            Wie oft muss man einen Kaktus gießen?
            my lawn is full of moss
        """,
        "films": """
            Who directed the film in which a spaceship's computer refuses to open the doors?
            movies like a heist comedy but set in the fifties
            how old was the actress in her first role
            what is playing at the cinema tonight
            best horror film of all time
            Was the sequel filmed before the first part came out?
            quel film a remporté la palme d'or
            does the dog die at the end
        """,
        "music": """
            play some jazz
            how many strings does a twelve-string guitar have
            Who wrote the Moonlight Sonata?
            lyrics of happy birthday
            what key is this song in
            turn the volume down a bit
            How long did Mozart live?
            chords for beginners on the ukulele
            quién canta esta canción
        """,
        "books": """
            recommend me a novel about the sea
            I read a book as a child in which a boy finds a door in a hedge and never grows up, what was it called?
            Who wrote the story of the man who wakes up as a beetle?
            how many pages does war and peace have
            books for a ten year old who hates reading
            what is the moral of the tortoise and the hare
            first detective story ever written
            Lies mir ein Märchen vor
        """,
        "history": """
            When did the Roman Empire fall?
            who was the second wife of Henry the Eighth
            causes of the first world war
            how did people tell the time before clocks
            year the Berlin wall came down
            Did Vikings really wear helmets with horns?
            what did they eat in ancient Egypt
            秦始皇是哪一年统一中国的
        """,
        "geography": """
            capital of Mongolia
            What is the longest river in Africa?
            how many countries border Brazil
            is Greenland part of Europe
            highest mountain in Scotland and how to climb it
            which ocean is the deepest
            population of Tokyo
            cuántos habitantes tiene Bogotá
            If I dug a hole straight through the earth from New Zealand, where would I come out on the other side?
        """,
        "maths": """
            what is 17 times 23
            square root of 1764
            How do I find the area of a circle when I only know its circumference?
            is 91 a prime number
            explain what a derivative is
            probability of two sixes in a row
            convert three quarters to a percentage
            Wie viele Diagonalen hat ein Siebeneck?
        """,
        "physics": """
            why is the sky blue
            How fast does light travel through water?
            what would happen if the earth stopped spinning
            who discovered radioactivity
            does hot water freeze faster than cold
            how does a fridge make cold
            formula for kinetic energy
        """,
        "chemistry": """
            What is the chemical symbol for tungsten?
            boiling point of ethanol
            why does iron rust but gold does not
            can you mix bleach and vinegar
            how many electrons does carbon have in its outer shell
            what makes fireworks green
            difference between an acid and a base
        """,
        "weather": """
            will it rain tomorrow
            weather in Oslo this weekend
            Do I need an umbrella today or is a jacket enough?
            how cold did it get last night
            when does the sun set
            what causes thunder
            Wird es am Wochenende schneien?
            quel temps fera-t-il demain à Marseille
            明天会下雨吗
        """,
        "cars": """
            how often should I change the oil in my car
            What does the orange engine light mean?
            winter tyres or all season tyres
            fastest road legal car in the world
            my clutch smells burnt when I drive uphill
            how long does it take to charge an electric car at home
            parallel parking step by step
            used vans for sale
            The car pulls to the left when I brake and the steering wheel shakes at high speed, what could be broken?
        """,
        "fashion": """
            what shoes go with a navy suit
            Can you wear white to a wedding if you are a guest?
            how to tie a bow tie
            are wide trousers still in fashion
            get red wine out of a silk blouse
            hairstyles for a round face
            Which colours suit someone with red hair?
        """,
        "law": """
            can my landlord come in without asking
            How long does a patent last?
            what happens if I do not show up for jury duty
            is it legal to record a phone call
            drink driving limit in France
            do I have to give evidence against my brother
            ab wann darf man in Deutschland wählen
        """,
        "money": """
            exchange rate of the yen today
            should I invest in gold
            What is the difference between a stock and a bond?
            how did the market close yesterday
            will house prices fall next year
            average salary of a plumber
            is bitcoin going up again
        """,
        "love": """
            how do I tell a friend whom I have known since school that I am in love with her
            What should I write in a card for our tenth wedding anniversary?
            he has not called back since our first date
            ideas for a cheap romantic evening
            how do you know that it is over
            is it normal to miss an ex
            Comment lui dire que je l'aime ?
        """,
        "family": """
            baby names that begin with a V
            When do children start to walk?
            My teenager comes home, goes to her room and never talks to me, what am I doing wrong and what can I do?
            games for a birthday party of six year olds
            what do you call the daughter of your cousin
            how much pocket money is right at twelve
            first tooth came out, what do we say
        """,
        "games": """
            how does the knight move in chess
            Can you castle out of check?
            what beats a full house in poker
            cheat codes for an old racing game
            let's play twenty questions
            how do I get past the dragon on the last level
            rules of backgammon
            give me a riddle
        """,
        "religion": """
            when is Easter next year
            What are the five pillars of Islam?
            who wrote the psalms
            why do monks shave their heads
            is there life after death
            how long does Ramadan last
            patron saint of travellers
        """,
        "politics": """
            who is the prime minister of Canada
            How many seats does the European Parliament have?
            when is the next election
            Can you explain to me in simple words why one chamber of parliament can stop a law that the other passed?
            what does the opposition say about the tax reform
            is the death penalty still used in Japan
            explain federalism in two sentences
            left or right, which party is bigger
        """,
        "news": """
            what is in the headlines today
            Any updates on the earthquake?
            who won the Nobel prize for literature this year
            tell me what happened in the world last week
            is the strike over yet
            latest from the summit
            今天有什么新闻
        """,
        "languages": """
            how do you say thank you in Finnish
            What does the word serendipity mean?
            translate good night into Portuguese
            is it affect or effect
            spell necessary
            how many people speak Welsh
            synonym for beautiful
        """,
        "small talk": """
            tell me a joke
            how are you today
            hello there
            Who made you, and are you a robot or a person?
            i am bored
            what is your favourite colour
            do you ever sleep
            you are not very helpful
            thank you, that is all
            erzähl mir einen Witz
            hola, qué tal
            lol ok
        """,
        "voice commands": """
            set an alarm for six
            turn off the lights in the kitchen
            remind me to buy milk when I leave work
            call mum on her mobile
            start a timer of eight minutes
            Add bananas to my shopping list, please
            next track
            what time is it in Sydney
            stell den Wecker auf sieben
            pon la calefacción a veinte grados
            flip a coin
        """,
        "art": """
            who painted the girl with the pearl earring
            How is a fresco different from an oil painting?
            how do I draw a horse
            which colours make brown
            museums that are free on sundays
            what is cubism
            how long did it take to build the cathedral of Cologne
        """,
        "do it yourself": """
            how do I hang a heavy mirror on a plasterboard wall
            remove wallpaper without a steamer
            What size of drill bit do I need for a plug of eight millimetres?
            the tap drips all night
            I have a bag of old plaster and want to fill the holes that the last tenant left, do I have to wet the wall?
            paint a wooden floor
            how to get a stripped screw out
            comment déboucher un évier
        """,
    }.items()
}

GENERAL = tuple(question for questions in TOPICS.values() for question in questions)
