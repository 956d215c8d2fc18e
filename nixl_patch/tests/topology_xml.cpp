// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
#include "topology/text_file.h"
#include "topology/utf8.h"
#include "topology/xml.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace nixlStripe;

std::string
failure(const std::string &text) {
    try {
        parseXml(text, "test.xml");
    } catch (const std::invalid_argument &error) {
        return error.what();
    }
    return "";
}

std::string
repeated(const std::string &text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

TEST(xml, readsElementsAndAttributes) {
    const xmlElement root = parseXml("<?xml version=\"1.0\"?>\n"
                                     "<system version='1'>\n"
                                     "  <cpu numaid=\"0\"><pci busid=\"0000:10:1c.0\"/></cpu>\n"
                                     "  <cpu numaid = \"1\" ></cpu >\n"
                                     "</system>\n",
                                     "x");
    EXPECT_EQ(root.name, "system");
    EXPECT_EQ(root.line, 2u);
    EXPECT_EQ(root.text("version"), "1");
    ASSERT_EQ(root.children.size(), 2u);
    EXPECT_EQ(root.children[0].text("numaid"), "0");
    ASSERT_EQ(root.children[0].children.size(), 1u);
    EXPECT_EQ(root.children[0].children[0].text("busid"), "0000:10:1c.0");
    EXPECT_EQ(root.children[1].text("numaid"), "1");
    EXPECT_EQ(root.children[1].line, 4u);
    EXPECT_EQ(root.attribute("absent"), nullptr);
    EXPECT_EQ(root.text("absent"), "");
}

TEST(xml, expandsWhatXmlDefines) {
    const xmlElement root =
        parseXml("<a v='&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#xe9;&#x20AC;&#x1F600;\t\n'/>", "x");
    EXPECT_EQ(root.text("v"), "<>&\"'AB\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80  ");
}

TEST(xml, skipsWhatIsNotAnElement) {
    const xmlElement root =
        parseXml("\xEF\xBB\xBF<!-- a - b -- c --><?pi <a> ?>\n"
                 "<!DOCTYPE t SYSTEM \"hwloc2.dtd\" [ <!ENTITY e \"]>\"> <!-- ' ]> --> ]>\n"
                 "<t>text &amp; more<!-- <x/> --><![CDATA[ <y> & ]]><?pi?><z/></t>\n<!-- end -->\n",
                 "x");
    EXPECT_EQ(root.name, "t");
    ASSERT_EQ(root.children.size(), 1u);
    EXPECT_EQ(root.children[0].name, "z");
}

struct badCase {
    const char *text;
    const char *says;
};

class badXml : public testing::TestWithParam<badCase> {};

TEST_P(badXml, isRefusedWithAReason) {
    const std::string what = failure(GetParam().text);
    EXPECT_NE(what.find(GetParam().says), std::string::npos) << what;
    EXPECT_EQ(what.rfind("test.xml:", 0), 0u) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
}

INSTANTIATE_TEST_SUITE_P(all,
                         badXml,
                         testing::Values(badCase{"", "no element"},
                                         badCase{" \n ", "no element"},
                                         badCase{"hello", "text where"},
                                         badCase{"<a>", "the file ends inside <a>"},
                                         badCase{"<a><b></a>", "</a> where </b>"},
                                         badCase{"<a/><b/>", "follows the end of <a>"},
                                         badCase{"<a/>x", "follows the end"},
                                         badCase{"<a b/>", "without '='"},
                                         badCase{"<a b=c/>", "without a quoted value"},
                                         badCase{"<a b='c/>", "does not end"},
                                         badCase{"<a b='<'/>", "'<' inside"},
                                         badCase{"<a b='1' b='2'/>", "twice"},
                                         badCase{"<a b='1'c='2'/>", "no space"},
                                         badCase{"<a b='&nbsp;'/>", "'&nbsp;'"},
                                         badCase{"<a b='& '/>", "'&' without"},
                                         badCase{"<a b='&a\nb;'/>", "'&' without"},
                                         badCase{"<a b='&amp", "'&' without"},
                                         badCase{"<a b='&#0;'/>", "'&#0;'"},
                                         badCase{"<a b='&#xD800;'/>", "no character"},
                                         badCase{"<a b='&#x110000;'/>", "no character"},
                                         badCase{"<a b='&#99999999999;'/>", "no character"},
                                         badCase{"<a b='&#x;'/>", "no character"},
                                         badCase{"<a>&lol;</a>", "not expanded"},
                                         badCase{"<1a/>", "no name"},
                                         badCase{"<", "no name"},
                                         badCase{"</a>", "no name"},
                                         badCase{"<a", "does not end"},
                                         badCase{"<a /x>", "does not end"},
                                         badCase{"<a></a", "does not end"},
                                         badCase{"<a><!-- </a>", "comment without an end"},
                                         badCase{"<a><![CDATA[ </a>",
                                                 "CDATA section without an end"},
                                         badCase{"<?xml <a/>", "instruction without an end"},
                                         badCase{"<!DOCTYPE a [ <a/>", "DOCTYPE without an end"},
                                         badCase{"<!DOCTYPE a 'x> <a/>", "quoted text"},
                                         badCase{"<!DOCTYPE a><!DOCTYPE a><a/>", "second DOCTYPE"},
                                         badCase{"<a>\x01</a>", "not text at offset 3"},
                                         badCase{"<a>\xFF</a>", "not text at offset 3"},
                                         badCase{"<a>\xC0\xAF</a>", "not text"},
                                         badCase{"<a>\xED\xA0\x80</a>", "not text"},
                                         badCase{"\xFF\xFE<", "no XML in UTF-8"},
                                         badCase{"\x7f"
                                                 "ELF\x02\x01",
                                                 "not text"}));

TEST(xml, namesTheLine) {
    EXPECT_EQ(failure("<a>\n\n<b>\n</c></a>").rfind("test.xml:4: ", 0), 0u);
}

TEST(xml, billionLaughsAreNotFunny) {
    std::string dtd = "<!DOCTYPE lolz [<!ENTITY lol0 'lol'>";
    for (int i = 1; i < 10; ++i) {
        const std::string inner = "&lol" + std::to_string(i - 1) + ";";
        dtd += "<!ENTITY lol" + std::to_string(i) + " '" + repeated(inner, 10) + "'>";
    }
    const std::string what = failure(dtd + "]><system>&lol9;</system>");
    EXPECT_NE(what.find("entity '&lol9;'"), std::string::npos) << what;
    EXPECT_EQ(failure(dtd + "]><system/>"), "");
}

TEST(xml, depthHasALimit) {
    EXPECT_EQ(failure(repeated("<a>", max_xml_depth) + repeated("</a>", max_xml_depth)), "");
    EXPECT_NE(failure(repeated("<a>", max_xml_depth + 1)).find("deeper than 256"),
              std::string::npos);
    EXPECT_NE(failure(repeated("<a>", 1000000)).find("deeper than"), std::string::npos);
}

TEST(xml, sizesHaveLimits) {
    EXPECT_EQ(failure("<a>" + repeated("<b/>", max_xml_elements - 1) + "</a>"), "");
    EXPECT_NE(failure("<a>" + repeated("<b/>", max_xml_elements) + "</a>").find("elements"),
              std::string::npos);
    EXPECT_NE(failure("<a>" + std::string(max_xml_bytes, ' ') + "</a>").find("more than 16 MiB"),
              std::string::npos);
    std::string many = "<a";
    for (std::size_t i = 0; i <= max_xml_attributes; ++i) {
        many += " a" + std::to_string(i) + "='1'";
    }
    EXPECT_NE(failure(many + "/>").find("more than 64 attributes"), std::string::npos);
}

TEST(utf8, findsTheFirstByteThatIsNoText) {
    EXPECT_EQ(firstNonText("a\tb\r\n\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), std::string_view::npos);
    EXPECT_EQ(firstNonText(std::string_view("ab\0c", 4)), 2u);
    EXPECT_EQ(firstNonText("\xF4\x90\x80\x80"), 0u); // beyond U+10FFFF
    EXPECT_EQ(firstNonText("a\xE2\x82"), 1u);        // cut short
    EXPECT_EQ(firstNonText("\xEF\xBF\xBF"), 0u);     // U+FFFF
    std::string out;
    EXPECT_FALSE(appendUtf8(0xDFFF, out));
    EXPECT_FALSE(appendUtf8(7, out));
    EXPECT_EQ(out, "");
}

class xmlFiles : public testing::Test {
protected:
    void
    SetUp() override {
        char name[] = "/tmp/nixl_stripe_xml_XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        folder_ = name;
    }
    void
    TearDown() override {
        ::unlink((folder_ + "/file").c_str());
        ::rmdir(folder_.c_str());
    }
    std::string folder_;
};

std::string
readFailure(const std::string &path) {
    try {
        readXmlFile(path);
    } catch (const std::invalid_argument &error) {
        return error.what();
    }
    return "";
}

TEST_F(xmlFiles, filesAreReadOrRefusedByName) {
    const std::string path = folder_ + "/file";
    EXPECT_EQ(readFailure(path), path + ": cannot be opened: No such file or directory");
    EXPECT_EQ(readFailure(folder_), folder_ + ": not a file");
    std::ofstream(path) << "<a b='c'/>";
    EXPECT_EQ(readXmlFile(path).text("b"), "c");
    EXPECT_THROW(readTextFile(path, 9), std::invalid_argument);
    EXPECT_EQ(readTextFile(path, 10).size(), 10u);
}

TEST_F(xmlFiles, aFifoDoesNotBlock) {
    const std::string path = folder_ + "/file";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(readFailure(path), path + ": not a file");
}

/** A document like the real ones, for mutations. */
const char *const sample =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
    "<!-- c --><topology version=\"2.0\"><object type=\"Machine\" nodeset='0x3'><info name=\"a\" "
    "value=\"&lt;&#x41;\"/><![CDATA[<>]]>text<object type=\"PCIDev\" pci_busid=\"0000:53:00.0\"/>"
    "</object></topology>";

TEST(xml, mutationsNeverDoMoreThanFail) {
    // Under AddressSanitizer this is a fuzz test; the seed is fixed so that a failure repeats.
    std::mt19937 random(20260101);
    const std::string alphabet = "<>/=\"'&;#x![]-?ab \n\xC3\xFF";
    std::size_t accepted = 0;
    constexpr int rounds = 40000;
    for (int round = 0; round < rounds; ++round) {
        std::string text = sample;
        const unsigned edits = 1 + random() % 4;
        for (unsigned i = 0; i < edits && !text.empty(); ++i) {
            const std::size_t at = random() % text.size();
            const char c = alphabet[random() % alphabet.size()];
            switch (random() % 5) {
            case 0:
                text[at] = c;
                break;
            case 1:
                text.insert(at, 1, c);
                break;
            case 2:
                text.erase(at, 1 + random() % 8);
                break;
            case 3:
                text.insert(at, text.substr(random() % text.size(), random() % 40));
                break;
            default:
                text.resize(at);
            }
        }
        accepted += failure(text).empty() ? 1 : 0;
    }
    // Neither everything nor nothing passes: the mutations reach both sides.
    EXPECT_GT(accepted, std::size_t(rounds / 100));
    EXPECT_LT(accepted, std::size_t(rounds / 2));
}

} // namespace
