# extras/ -> libraries beside libsolo, each with a dependency of its own; they are programs on libsolo's public headers.
#
#   libsolo-cares.so   a resolver on c-ares: names without a thread
#   libsolo-http.so    a small HTTP/1.1 client and server, with http-parser's parser

CARES_OBJECTS := $(call object,$(wildcard extras/cares*.c))
HTTP_OBJECTS := $(call object,$(wildcard extras/http*.c))
EXTRAS_OBJECTS := $(CARES_OBJECTS) $(HTTP_OBJECTS)
CARES_LIBS := -lcares
HTTP_LIBS := -lhttp_parser
EXTRAS_LIBS := $(CARES_LIBS) $(HTTP_LIBS)
$(EXTRAS_OBJECTS): PART_CFLAGS := -DSOLO_NO_STATIC_CONTRACTS

$(BUILD)/lib/libsolo-cares.so: $(CARES_OBJECTS) $(BUILD)/lib/libsolo.so
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared $(TOOL) -pthread -Wl,-soname,libsolo-cares.so $(NO_LOOSE_ENDS) \
	    -Wl,-rpath,'$$ORIGIN/././././.' -o $@ $(CARES_OBJECTS) -L$(BUILD)/lib -lsolo $(CARES_LIBS) $(LDFLAGS)
$(BUILD)/lib/libsolo-http.so: $(HTTP_OBJECTS) $(BUILD)/lib/libsolo.so
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared $(TOOL) -pthread -Wl,-soname,libsolo-http.so $(NO_LOOSE_ENDS) \
	    -Wl,-rpath,'$$ORIGIN/././././.' -o $@ $(HTTP_OBJECTS) -L$(BUILD)/lib -lsolo $(HTTP_LIBS) $(LDFLAGS)

ALL += $(BUILD)/lib/libsolo-cares.so $(BUILD)/lib/libsolo-http.so
